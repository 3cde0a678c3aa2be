/* One thread in the library for a while.  Its threads wait for each other by spinning: on a machine with other work they
   cost many times what they save.  The record is the process's, so that the number of threads comes back when the last one
   leaves, whoever came first. */
#include <sched.h>

typedef struct {
    int32_t lock, depth, before;
    int (*get)(void);
    void (*set)(int);
} tc_threads;

static void tc_single(tc_threads *t, int enter)
{
    if (!t->set)
        return;
    for (int tries = 1; __atomic_exchange_n(&t->lock, 1, __ATOMIC_ACQUIRE); tries++)
        if (tries % 64 == 0)
            sched_yield(); /* whoever is inside may not be running */
    if (enter) {
        if (t->depth++ == 0 && (t->before = t->get()) > 1)
            t->set(1);
    } else if (--t->depth == 0 && t->before > 1)
        t->set(t->before);
    __atomic_store_n(&t->lock, 0, __ATOMIC_RELEASE);
}
