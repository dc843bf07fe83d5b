// expect: tier=afxdp rule=host_header line=4
/* Locks a mutex. */
#include "xfn.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

XFN_FUNCTION(threads, .port = 4000)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return XFN_REPLY;
}
