// expect: fail rule=native_error line=1
/* No function in it. */
#include "xfn.h"
