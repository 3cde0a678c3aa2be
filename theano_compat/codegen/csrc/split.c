/* Loops and products cut into pieces.  Where a cut changes rounding (sums, blocks of a product) its place depends on the
   shape alone, so that results do not depend on the number of threads. */
enum { tc_grain = 1024, tc_sums = 64, tc_private = 4096 };

typedef struct {
    tc_kernel *kernel;
    int n, nop, d;
    int64_t chunk;
    const int64_t *e, *s;
    char *const *p;
    tc_part *const *parts;
    char *room;      /* partial results, NULL for none: those of a piece are `step` bytes from those of the next */
    int64_t step;
    int64_t at[64], count[64], size[64]; /* where those of an operand begin (-1: it has none), how many, bytes of each */
} tc_split;

static int64_t tc_size(const int64_t *s) { return *s < 0 ? -*s : *s; }

/* Bytes before and behind its pointer that an operand reaches (not counting the last element itself). */
static void tc_reach(int n, int nop, const int64_t *e, const int64_t *s, int k, int64_t *before, int64_t *behind)
{
    *before = *behind = 0;
    for (int d = 0; d < n; d++) {
        const int64_t far = s[d * nop + k] * (e[d] - 1);
        *(far < 0 ? before : behind) += far;
    }
}

/* Whether no two points of different places along `d` write the same element of operand k: each stride is longer than all
   shorter ones reach together. */
static int tc_apart(int n, int nop, const int64_t *e, const int64_t *s, int k)
{
    for (int d = 0; d < n; d++) {
        int64_t reach = 0;
        if (s[d * nop + k] == 0)
            continue;
        for (int c = 0; c < n; c++)
            if (c != d && tc_size(s + c * nop + k) <= tc_size(s + d * nop + k)) {
                if (tc_size(s + c * nop + k) == tc_size(s + d * nop + k))
                    return 0;
                reach += tc_size(s + c * nop + k) * (e[c] - 1);
            }
        if (reach >= tc_size(s + d * nop + k))
            return 0;
    }
    return 1;
}

/* Whether what is written is read, if at all, only at the very point. */
static int tc_independent(int n, int nop, const int64_t *e, const int64_t *s, char *const *p, tc_part *const *parts)
{
    for (int k = 0; k < nop; k++) {
        if (!parts[k])
            continue;
        if (!tc_apart(n, nop, e, s, k))
            return 0;
        int64_t before, behind, b, a;
        tc_reach(n, nop, e, s, k, &before, &behind);
        for (int l = 0; l < nop; l++) {
            if (l == k)
                continue;
            tc_reach(n, nop, e, s, l, &b, &a);
            if (p[l] + a + 16 <= p[k] + before || p[k] + behind + 16 <= p[l] + b)
                continue;
            int same = p[k] == p[l] && !(parts[k] != TC_STORED);
            for (int d = 0; d < n && same; d++)
                same = s[d * nop + k] == s[d * nop + l];
            if (!same)
                return 0;
        }
    }
    return 1;
}

static void tc_split_piece(void *arg, int64_t i, int worker)
{
    const tc_split *t = arg;
    int64_t e[64];
    char *p[64];
    (void)worker;
    memcpy(e, t->e, t->n * sizeof *e);
    e[t->d] = tc_min(t->chunk, t->e[t->d] - i * t->chunk);
    for (int k = 0; k < t->nop; k++) {
        p[k] = t->p[k] + i * t->chunk * t->s[t->d * t->nop + k];
        if (t->room && t->at[k] >= 0) {
            p[k] = t->room + i * t->step + t->at[k];
            for (int64_t j = 0; j < t->count[k]; j++)
                t->parts[k](p[k] + t->size[k] * j, NULL);
        }
    }
    tc_walk(t->kernel, t->n, t->nop, e, t->s, p);
}

/* Adds the partial results of an operand to its elements, those of the first piece first. */
static void tc_join(const tc_split *t, int k, const int64_t *s, int64_t pieces)
{
    int64_t count[64] = {0};
    char *to = t->p[k];
    for (int64_t j = 0; j < t->count[k]; j++) {
        for (int64_t i = 0; i < pieces; i++)
            t->parts[k](to, t->room + i * t->step + t->at[k] + t->size[k] * j);
        for (int d = t->n - 1; d >= 0; d--) {
            const int64_t step = s[d * t->nop + k];
            if (step == 0)
                continue;
            to += step;
            if (++count[d] < t->e[d])
                break;
            to -= step * t->e[d];
            count[d] = 0;
        }
    }
}

/* Sums over the outermost dimension by pieces with results of their own; returns 0 where that cannot be. */
static int tc_by_sums(tc_split *t, double work, int most)
{
    int64_t own[64 * 64];
    double points = 1;
    if (t->n * t->nop > 64 * 64)
        return 0;
    for (int d = 0; d < t->n; d++)
        points *= (double)t->e[d];
    memcpy(own, t->s, (size_t)t->n * t->nop * sizeof *own);
    t->step = 0;
    for (int k = 0; k < t->nop; k++) {
        t->at[k] = -1;
        if (!t->parts[k] || t->s[k] != 0)
            continue;
        if (t->parts[k] == TC_STORED)
            return 0;
        t->at[k] = t->step;
        t->count[k] = 1;
        t->size[k] = t->parts[k](NULL, NULL);
        for (int d = t->n - 1; d > 0; d--)
            if (t->s[d * t->nop + k] != 0) {
                own[d * t->nop + k] = t->size[k] * t->count[k];
                t->count[k] *= t->e[d];
                if (t->count[k] > tc_private)
                    return 0;
            }
        t->step += (t->size[k] * t->count[k] + 127) / 64 * 64; /* no two in one line of the cache */
    }
    const int64_t blocks = t->n == 1 ? TC_BLOCK : 1, units = (t->e[0] + blocks - 1) / blocks;
    int64_t pieces = tc_min(tc_min(units, tc_sums), (int64_t)(work / (TC_WORTH / 4)));
    pieces = tc_min(pieces, (int64_t)(points / (double)t->step * 4)); /* joining costs little beside summing */
    if (pieces < 2)
        return 0;
    t->d = 0;
    t->chunk = (units + pieces - 1) / pieces * blocks;
    pieces = (t->e[0] + t->chunk - 1) / t->chunk;
    t->room = malloc((size_t)(pieces * t->step));
    if (!t->room)
        return 0;
    const int64_t *s = t->s;
    t->s = own;
    tc_run(tc_split_piece, t, pieces, most);
    for (int k = 0; k < t->nop; k++)
        if (t->at[k] >= 0)
            tc_join(t, k, s, pieces);
    free(t->room);
    return 1;
}

/* The dimension to cut so that every element is written by one piece, and its units: the outermost that has a fair number
   of them, else the longest; units 0 where there is none. */
static int64_t tc_free_dimension(const tc_split *t, int *found)
{
    int64_t best = 0;
    for (int d = 0; d < t->n; d++) {
        int all = 1;
        for (int k = 0; k < t->nop; k++)
            all = all && (!t->parts[k] || t->s[d * t->nop + k] != 0);
        const int64_t grain = d < t->n - 1 ? 1 : t->n == 1 ? TC_BLOCK : tc_grain;
        const int64_t units = all ? (t->e[d] + grain - 1) / grain : 0;
        if (units > best) {
            best = units;
            *found = d;
        }
        if (best >= 8)
            break;
    }
    return best;
}

static void tc_nest_split(tc_kernel *kernel, int n, int nop, int64_t *e, int64_t *s, char **p, tc_part *const *parts, double work);
static void tc_gemm_split(void *routine, int wide, int64_t size, const char *ta, const char *tb, int64_t m, int64_t n,
                          int64_t k, const void *alpha, const char *a, int64_t lda, const char *b, int64_t ldb,
                          const void *beta, char *c, int64_t ldc);

static tc_pool tc_the_pool = {tc_workers, tc_run, tc_ranges, tc_nest_split, tc_gemm_split, 0};

static void tc_nest_split(tc_kernel *kernel, int n, int nop, int64_t *e, int64_t *s, char **p, tc_part *const *parts, double work)
{
    tc_split t = {kernel, n, nop, 0, 0, e, s, p, parts, NULL, 0, {0}, {0}, {0}};
    double points = 1;
    for (int d = 0; d < n; d++)
        points *= (double)e[d];
    const int64_t least = __atomic_load_n(&tc_the_pool.least, __ATOMIC_RELAXED);
    const int most = points < (double)least ? 1 : tc_most;
    if (n > 0 && tc_independent(n, nop, e, s, p, parts)) {
        const int64_t units = tc_free_dimension(&t, &t.d);
        if (units < 8 && work >= TC_WORTH && tc_by_sums(&t, work, most))
            return;
        const int64_t pieces = most == 1 || tc_workers(units) == 1 ? 1 : tc_cuts(units, tc_max(work, TC_WORTH));
        if (pieces > 1) {
            const int64_t grain = t.d < n - 1 ? 1 : n == 1 ? TC_BLOCK : tc_grain;
            t.chunk = (units + pieces - 1) / pieces * grain;
            tc_run(tc_split_piece, &t, (e[t.d] + t.chunk - 1) / t.chunk, most);
            return;
        }
    }
    tc_walk(kernel, n, nop, e, s, p);
}

/* ---- products ------------------------------------------------------------------------------------------------------ */

typedef void tc_gemm_wide(const char *, const char *, const int64_t *, const int64_t *, const int64_t *, const void *,
                          const void *, const int64_t *, const void *, const int64_t *, const void *, void *, const int64_t *);
typedef void tc_gemm_narrow(const char *, const char *, const int32_t *, const int32_t *, const int32_t *, const void *,
                            const void *, const int32_t *, const void *, const int32_t *, const void *, void *, const int32_t *);

typedef struct {
    void *routine;
    int wide;
    int64_t size;
    const char *ta, *tb;
    int64_t m, n, k;
    const void *alpha, *beta;
    const char *a, *b;
    char *c;
    int64_t lda, ldb, ldc, rows, columns; /* how many blocks each way */
} tc_blocks;

static void tc_block_of(void *arg, int64_t number, int worker)
{
    const tc_blocks *t = arg;
    const int64_t i = number % t->rows, j = number / t->rows;
    /* whole tiles of the library's kernels */
    const int64_t i0 = t->m * i / t->rows / 16 * 16, i1 = i + 1 < t->rows ? t->m * (i + 1) / t->rows / 16 * 16 : t->m;
    const int64_t j0 = t->n * j / t->columns / 16 * 16, j1 = j + 1 < t->columns ? t->n * (j + 1) / t->columns / 16 * 16 : t->n;
    const char *a = t->a + i0 * t->size * (*t->ta == 'N' ? 1 : t->lda), *b = t->b + j0 * t->size * (*t->tb == 'N' ? t->ldb : 1);
    char *c = t->c + (i0 + j0 * t->ldc) * t->size;
    (void)worker;
    if (t->wide) {
        const int64_t m = i1 - i0, n = j1 - j0;
        ((tc_gemm_wide *)t->routine)(t->ta, t->tb, &m, &n, &t->k, t->alpha, a, &t->lda, b, &t->ldb, t->beta, c, &t->ldc);
    } else {
        const int32_t m = (int32_t)(i1 - i0), n = (int32_t)(j1 - j0), k = (int32_t)t->k;
        const int32_t lda = (int32_t)t->lda, ldb = (int32_t)t->ldb, ldc = (int32_t)t->ldc;
        ((tc_gemm_narrow *)t->routine)(t->ta, t->tb, &m, &n, &k, t->alpha, a, &lda, b, &ldb, t->beta, c, &ldc);
    }
}

/* The result (columns contiguous) by two blocks, or by more of a millisecond each; none shorter than 240 elements a side.
   Smaller blocks would cost one thread a tenth. */
static void tc_gemm_split(void *routine, int wide, int64_t size, const char *ta, const char *tb, int64_t m, int64_t n,
                          int64_t k, const void *alpha, const char *a, int64_t lda, const char *b, int64_t ldb,
                          const void *beta, char *c, int64_t ldc)
{
    enum { side = 240, most = 256 };
    tc_blocks t = {routine, wide, size, ta, tb, m, n, k, alpha, beta, a, b, c, lda, ldb, ldc, 1, 1};
    const double wanted = (double)m * (double)n * (double)k * (double)size / 4e8;
    while (t.rows * t.columns < (wanted < 2 ? 2 : wanted < most ? wanted : most)) {
        const int64_t rows = m / (t.rows + 1), columns = n / (t.columns + 1);
        if (rows < side && columns < side)
            break;
        rows >= columns ? t.rows++ : t.columns++;
    }
    tc_run(tc_block_of, &t, t.rows * t.columns, __atomic_load_n(&tc_product_limit, __ATOMIC_RELAXED));
}

/* ---- for Python ---------------------------------------------------------------------------------------------------- */

/* Sets how many threads may work, on products and on all else, and the flag that `least` is; returns the record. */
const tc_pool *tc_pool_set(int threads, int products, int64_t least)
{
    static int known;
    pthread_mutex_lock(&tc_lock);
    if (!known++)
        pthread_atfork(tc_before_fork, NULL, tc_in_child);
    threads = (int)tc_max(1, tc_min(threads, tc_most));
    if (__atomic_exchange_n(&tc_limit, threads, __ATOMIC_RELAXED) != threads)
        __atomic_store_n(&tc_alone, 0, __ATOMIC_RELAXED); /* what was learned was for another number */
    __atomic_store_n(&tc_product_limit, products, __ATOMIC_RELAXED);
    __atomic_store_n(&tc_the_pool.least, least, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&tc_lock);
    return &tc_the_pool;
}

/* Threads there are now, and jobs that were shared so far. */
int tc_pool_started(void) { return tc_started; }
int64_t tc_pool_jobs(void) { return tc_jobs; }
