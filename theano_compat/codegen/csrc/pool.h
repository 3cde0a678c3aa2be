/* The process's threads, as generated code sees them: one record for all functions, NULL where there is none. */
#define TC_WORTH 1e5 /* nanoseconds of work (estimated) from which it is shared out: waking a thread takes a tenth */

typedef void tc_task(void *job, int64_t number, int worker);
typedef void tc_range(void *job, int64_t from, int64_t to, int worker);
typedef void tc_kernel(int64_t n1, int64_t n0, char *const *p, const int64_t *s1, const int64_t *s0);
/* Joins a partial result into an element, or, with NULL for it, sets the element to what a reduction starts from; returns
   the size of elements, and that only where `to` is NULL. */
typedef int64_t tc_part(char *to, const char *partial);
#define TC_STORED ((tc_part *)1) /* an operand that is written, not accumulated into */

typedef struct {
    /* How many workers a job of `tasks` pieces could have now: their numbers are below that. */
    int (*workers)(int64_t tasks);
    /* Runs job(number) for 0 <= number < tasks, in any order, by any worker below `most`; returns when all are done. */
    void (*run)(tc_task *f, void *job, int64_t tasks, int most);
    /* The same for ranges of 0 .. n, `work` nanoseconds in all, by `most` workers at most. */
    void (*ranges)(tc_range *f, void *job, int64_t n, double work, int most);
    /* tc_nest for much work, after its dimensions were merged. */
    void (*nest)(tc_kernel *kernel, int n, int nop, int64_t *e, int64_t *s, char **p, tc_part *const *parts, double work);
    /* A BLAS's gemm, by blocks of the result where it is large. */
    void (*gemm)(void *routine, int wide, int64_t size, const char *ta, const char *tb, int64_t m, int64_t n, int64_t k,
                 const void *alpha, const char *a, int64_t lda, const char *b, int64_t ldb, const void *beta, char *c,
                 int64_t ldc);
    int64_t least; /* flag openmp_elemwise_minsize where the user asks for openmp: elements of a loop; else 0 */
} tc_pool;

#ifdef TC_X_pool
#define TC_POOL ((const tc_pool *)tc_table[TC_X_pool])
#else
#define TC_POOL ((const tc_pool *)NULL)
#endif

/* Workers that rooms must be made for where `n` things may be done by several. */
static inline int64_t tc_crew(int64_t n)
{
    const tc_pool *pool = TC_POOL;
    return pool ? pool->workers(n) : 1;
}

/* Things 0 .. n that do not depend on each other, by `most` workers at most; `work` as for `ranges`. */
static inline void tc_each(tc_range *f, void *job, int64_t n, double work, int64_t most)
{
    const tc_pool *pool = TC_POOL;
    if (pool && work >= TC_WORTH && most > 1)
        pool->ranges(f, job, n, work, (int)most);
    else if (n > 0)
        f(job, 0, n, 0);
}
