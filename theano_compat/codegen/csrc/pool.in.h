/* Pooling over the last axes of images: three axes, missing ones have extent 1.  @T@ is the element type, @N@ its name,
   @LOWEST@ what is below all its values.

   g: number of images; then per axis image, windows, window, stride, padding; then whether averages count the padding. */
enum {
    tc_pi_@N@ = 1, tc_po_@N@ = tc_pi_@N@ + 3, tc_pw_@N@ = tc_po_@N@ + 3, tc_ps_@N@ = tc_pw_@N@ + 3, tc_pl_@N@ = tc_ps_@N@ + 3,
    tc_pc_@N@ = tc_pl_@N@ + 3
};

/* Elements of a window along one axis that lie inside: from lo to hi. */
static inline void tc_window_@N@(const int64_t *g, int axis, int64_t o, int64_t *lo, int64_t *hi)
{
    const int64_t start = o * g[tc_ps_@N@ + axis] - g[tc_pl_@N@ + axis];
    *lo = start < 0 ? 0 : start;
    *hi = tc_min(start + g[tc_pw_@N@ + axis], g[tc_pi_@N@ + axis]);
}

/* By how many elements an average divides along one axis. */
static inline int64_t tc_counted_@N@(const int64_t *g, int axis, int64_t o)
{
    const int64_t start = o * g[tc_ps_@N@ + axis] - g[tc_pl_@N@ + axis], stop = start + g[tc_pw_@N@ + axis];
    if (g[tc_pc_@N@])
        return tc_max(1, tc_min(stop, g[tc_pi_@N@ + axis] + g[tc_pl_@N@ + axis]) - start);
    return tc_max(1, tc_min(stop, g[tc_pi_@N@ + axis]) - tc_max(start, 0));
}

/* Windows whose element `tap` lies inside the row: from lo to hi. */
static inline void tc_reached_@N@(const int64_t *g, int64_t tap, int64_t *lo, int64_t *hi)
{
    const int64_t n = g[tc_pi_@N@ + 2], o = g[tc_po_@N@ + 2], s = g[tc_ps_@N@ + 2], at = tap - g[tc_pl_@N@ + 2];
    *lo = at >= 0 ? 0 : (-at + s - 1) / s;
    *hi = n - 1 - at < 0 ? 0 : tc_min(o, (n - 1 - at) / s + 1);
}

/* Pairs side by side: the common case, which the compiler vectorises. */
static inline int tc_pairs_@N@(const int64_t *g)
{
    return g[tc_pw_@N@ + 2] == 2 && g[tc_ps_@N@ + 2] == 2 && g[tc_pl_@N@ + 2] == 0;
}

#define TC_POOL_BEST_@N@(v, m) ((v) > (m) || (v) != (v) ? (v) : (m))
#define TC_POOL_SUM_@N@(v, m) ((m) + (v))

/* Rows of a window into one row, then that row's windows. */
#define TC_POOL_@N@(NAME, START, COMBINE, AVERAGE)                                                                     \
    static void NAME(const int64_t *g, const @T@ *x, @T@ *restrict out, @T@ *restrict t, @T@ *restrict counts)         \
    {                                                                                                                  \
        const int64_t *I = g + tc_pi_@N@, *O = g + tc_po_@N@, *W = g + tc_pw_@N@, s = g[tc_ps_@N@ + 2];                \
        if (AVERAGE)                                                                                                   \
            for (int64_t o = 0; o < O[2]; o++)                                                                         \
                counts[o] = (@T@)tc_counted_@N@(g, 2, o);                                                              \
        for (int64_t b = 0; b < g[0]; b++, x += I[0] * I[1] * I[2])                                                    \
            for (int64_t o0 = 0; o0 < O[0]; o0++)                                                                      \
                for (int64_t o1 = 0; o1 < O[1]; o1++, out += O[2]) {                                                   \
                    int64_t lo0, hi0, lo1, hi1, lo, hi;                                                                \
                    tc_window_@N@(g, 0, o0, &lo0, &hi0);                                                               \
                    tc_window_@N@(g, 1, o1, &lo1, &hi1);                                                               \
                    const @T@ *row = x + (lo0 * I[1] + lo1) * I[2];                                                    \
                    if (hi0 - lo0 != 1 || hi1 - lo1 != 1) {                                                            \
                        int first = 1;                                                                                 \
                        for (int64_t i0 = lo0; i0 < hi0; i0++)                                                         \
                            for (int64_t i1 = lo1; i1 < hi1; i1++, first = 0) {                                        \
                                const @T@ *from = x + (i0 * I[1] + i1) * I[2];                                         \
                                if (first)                                                                             \
                                    memcpy(t, from, (size_t)I[2] * sizeof(@T@));                                       \
                                else                                                                                   \
                                    _Pragma("omp simd") for (int64_t i = 0; i < I[2]; i++)                             \
                                        t[i] = COMBINE(from[i], t[i]);                                                 \
                            }                                                                                          \
                        if (first)                                                                                     \
                            for (int64_t i = 0; i < I[2]; i++)                                                         \
                                t[i] = START;                                                                          \
                        row = t;                                                                                       \
                    }                                                                                                  \
                    if (tc_pairs_@N@(g) && 2 * O[2] <= I[2])                                                           \
                        _Pragma("omp simd") for (int64_t p = 0; p < O[2]; p++)                                         \
                            out[p] = COMBINE(row[2 * p + 1], row[2 * p]);                                              \
                    else {                                                                                             \
                        for (int64_t p = 0; p < O[2]; p++)                                                             \
                            out[p] = START;                                                                            \
                        for (int64_t k = 0; k < W[2]; k++) {                                                           \
                            const @T@ *from = row + k - g[tc_pl_@N@ + 2];                                              \
                            tc_reached_@N@(g, k, &lo, &hi);                                                            \
                            if (s == 1)                                                                                \
                                _Pragma("omp simd") for (int64_t p = lo; p < hi; p++)                                  \
                                    out[p] = COMBINE(from[p], out[p]);                                                 \
                            else                                                                                       \
                                _Pragma("omp simd") for (int64_t p = lo; p < hi; p++)                                  \
                                    out[p] = COMBINE(from[p * s], out[p]);                                             \
                        }                                                                                              \
                    }                                                                                                  \
                    if (AVERAGE) {                                                                                     \
                        const @T@ rows = (@T@)(tc_counted_@N@(g, 0, o0) * tc_counted_@N@(g, 1, o1));                   \
                        for (int64_t p = 0; p < O[2]; p++)                                                             \
                            out[p] /= rows * counts[p];                                                                \
                    }                                                                                                  \
                }                                                                                                      \
    }

TC_POOL_@N@(tc_pool_max_@N@, @LOWEST@, TC_POOL_BEST_@N@, 0)
TC_POOL_@N@(tc_pool_sum_@N@, 0, TC_POOL_SUM_@N@, 0)
TC_POOL_@N@(tc_pool_average_@N@, 0, TC_POOL_SUM_@N@, 1)

/* Passes over all windows and their elements; `i` is an element of a row of the image, `p` a window of a row. */
#define TC_POOL_BACK_@N@(NAME, PREPARE, PAIR, ELEMENT)                                                                 \
    static void NAME(const int64_t *g, const @T@ *x, const @T@ *m, const @T@ *d, @T@ *to, @T@ *t, @T@ *counts)         \
    {                                                                                                                  \
        const int64_t *I = g + tc_pi_@N@, *O = g + tc_po_@N@, *W = g + tc_pw_@N@, s = g[tc_ps_@N@ + 2];                \
        const int64_t image = I[0] * I[1] * I[2];                                                                      \
        (void)t, (void)counts, (void)m, (void)x;                                                                       \
        for (int64_t b = 0; b < g[0]; b++)                                                                             \
            for (int64_t o0 = 0; o0 < O[0]; o0++)                                                                      \
                for (int64_t o1 = 0; o1 < O[1]; o1++) {                                                                \
                    int64_t lo0, hi0, lo1, hi1, lo, hi;                                                                \
                    tc_window_@N@(g, 0, o0, &lo0, &hi0);                                                               \
                    tc_window_@N@(g, 1, o1, &lo1, &hi1);                                                               \
                    const int64_t window = ((b * O[0] + o0) * O[1] + o1) * O[2];                                       \
                    PREPARE                                                                                            \
                    for (int64_t i0 = lo0; i0 < hi0; i0++)                                                             \
                        for (int64_t i1 = lo1; i1 < hi1; i1++) {                                                       \
                            const int64_t row = b * image + (i0 * I[1] + i1) * I[2];                                   \
                            if (tc_pairs_@N@(g) && 2 * O[2] <= I[2]) {                                                 \
                                PAIR                                                                                   \
                                continue;                                                                              \
                            }                                                                                          \
                            for (int64_t k = 0; k < W[2]; k++) {                                                       \
                                tc_reached_@N@(g, k, &lo, &hi);                                                        \
                                const int64_t start = row + k - g[tc_pl_@N@ + 2];                                      \
                                for (int64_t p = lo; p < hi; p++) {                                                    \
                                    const int64_t i = start + p * s;                                                   \
                                    ELEMENT                                                                            \
                                }                                                                                      \
                            }                                                                                          \
                        }                                                                                              \
                }                                                                                                      \
    }

/* The gradient of a maximum goes to every element that equals it. */
TC_POOL_BACK_@N@(tc_pool_max_back_@N@, ,
    const @T@ *restrict xr = x + row; const @T@ *restrict mr = m + window; const @T@ *restrict dr = d + window;
    @T@ *restrict r = to + row;
    _Pragma("omp simd")
    for (int64_t p = 0; p < O[2]; p++) {
        r[2 * p] += xr[2 * p] == mr[p] ? dr[p] : 0;
        r[2 * p + 1] += xr[2 * p + 1] == mr[p] ? dr[p] : 0;
    },
    if (x[i] == m[window + p]) to[i] += d[window + p];)

/* Its transpose: per window the sum of `d` over the elements that equal the maximum. */
TC_POOL_BACK_@N@(tc_pool_max_back_back_@N@, ,
    for (int64_t p = 0; p < O[2]; p++) {
        to[window + p] += x[row + 2 * p] == m[window + p] ? d[row + 2 * p] : 0;
        to[window + p] += x[row + 2 * p + 1] == m[window + p] ? d[row + 2 * p + 1] : 0;
    },
    if (x[i] == m[window + p]) to[window + p] += d[i];)

/* The gradient of a sum goes to all elements; of an average, divided; t is the window's row of gradients. */
TC_POOL_BACK_@N@(tc_pool_sum_back_@N@,
    for (int64_t p = 0; p < O[2]; p++) t[p] = d[window + p];,
    @T@ *restrict r = to + row; const @T@ *restrict dr = t;
    _Pragma("omp simd")
    for (int64_t p = 0; p < O[2]; p++) {
        r[2 * p] += dr[p];
        r[2 * p + 1] += dr[p];
    },
    to[i] += t[p];)
TC_POOL_BACK_@N@(tc_pool_average_back_@N@,
    const @T@ rows = (@T@)(tc_counted_@N@(g, 0, o0) * tc_counted_@N@(g, 1, o1));
    for (int64_t p = 0; p < O[2]; p++) t[p] = d[window + p] / (rows * (@T@)tc_counted_@N@(g, 2, p));,
    @T@ *restrict r = to + row; const @T@ *restrict dr = t;
    _Pragma("omp simd")
    for (int64_t p = 0; p < O[2]; p++) {
        r[2 * p] += dr[p];
        r[2 * p + 1] += dr[p];
    },
    to[i] += t[p];)

/* Images have nothing to do with each other: several threads may do some each, with rooms `t` and `counts` of their own. */
typedef struct {
    void (*forward)(const int64_t *, const @T@ *, @T@ *, @T@ *, @T@ *);
    void (*back)(const int64_t *, const @T@ *, const @T@ *, const @T@ *, @T@ *, @T@ *, @T@ *);
    const int64_t *g;
    const @T@ *x, *m, *d;
    @T@ *to, *t, *counts;
    int64_t x_step, m_step, d_step, to_step;
} tc_pool_job_@N@;

static void tc_pool_range_@N@(void *arg, int64_t from, int64_t to, int worker)
{
    const tc_pool_job_@N@ *v = arg;
    int64_t g[tc_pc_@N@ + 1];
    memcpy(g, v->g, sizeof g);
    g[0] = to - from;
    @T@ *t = v->t + worker * tc_max(g[tc_pi_@N@ + 2], g[tc_po_@N@ + 2]), *counts = v->counts + worker * g[tc_po_@N@ + 2];
    if (v->forward)
        v->forward(g, v->x + from * v->x_step, v->to + from * v->to_step, t, counts);
    else
        v->back(g, v->x + from * v->x_step, v->m + from * v->m_step, v->d + from * v->d_step, v->to + from * v->to_step, t, counts);
}

static double tc_pool_work_@N@(const int64_t *g, int64_t *image, int64_t *windows)
{
    *image = g[tc_pi_@N@] * g[tc_pi_@N@ + 1] * g[tc_pi_@N@ + 2];
    *windows = g[tc_po_@N@] * g[tc_po_@N@ + 1] * g[tc_po_@N@ + 2];
    return (double)g[0] * ((double)*image * 0.05 + (double)*windows * (double)g[tc_pw_@N@ + 2] * 0.1) * sizeof(@T@);
}

static void tc_pool_forward_@N@(void (*f)(const int64_t *, const @T@ *, @T@ *, @T@ *, @T@ *), const int64_t *g, const @T@ *x,
                                @T@ *to, @T@ *t, @T@ *counts, int64_t workers)
{
    int64_t image, windows;
    const double work = tc_pool_work_@N@(g, &image, &windows);
    tc_pool_job_@N@ job = {f, NULL, g, x, NULL, NULL, to, t, counts, image, 0, 0, windows};
    tc_each(tc_pool_range_@N@, &job, g[0], work, workers);
}

/* `x` and `to` have the image's shape or (`turned`) `d` and `to` change places; to is set to 0 before. */
static void tc_pool_backward_@N@(void (*f)(const int64_t *, const @T@ *, const @T@ *, const @T@ *, @T@ *, @T@ *, @T@ *), int turned,
                                 const int64_t *g, const @T@ *x, const @T@ *m, const @T@ *d, @T@ *to, @T@ *t, @T@ *counts, int64_t workers)
{
    int64_t image, windows;
    const double work = 2 * tc_pool_work_@N@(g, &image, &windows);
    tc_pool_job_@N@ job = {NULL, f, g, x, m, d, to, t, counts, image, windows, turned ? image : windows, turned ? windows : image};
    tc_each(tc_pool_range_@N@, &job, g[0], work, workers);
}
