// As landing.c, with the pages of what is under way closed: everything comes to where it belongs, in every way to complete an operation.
// record: --guard
// expect: warning request/freed-active
#include "landing.c"
