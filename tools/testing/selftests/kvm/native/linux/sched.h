#define cond_resched()	do { } while (0)
