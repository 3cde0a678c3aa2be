/* One thread in the library for a while.  Its threads wait for each other by spinning: over many small products, on a
   machine with other work, they cost far more than they save.  The record is the process's, so that the number of threads
   comes back when the last one leaves, whoever came first. */
typedef struct {
    int32_t lock, depth, before;
    int (*get)(void);
    void (*set)(int);
} tc_threads;

static void tc_single(tc_threads *t, int enter)
{
    if (!t->set)
        return;
    while (__atomic_exchange_n(&t->lock, 1, __ATOMIC_ACQUIRE))
        ;
    if (enter) {
        if (t->depth++ == 0 && (t->before = t->get()) > 1)
            t->set(1);
    } else if (--t->depth == 0 && t->before > 1)
        t->set(t->before);
    __atomic_store_n(&t->lock, 0, __ATOMIC_RELEASE);
}
