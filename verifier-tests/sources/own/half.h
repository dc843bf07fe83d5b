static inline int half(int x)
{
	return (int)(x * 0.5);
}
