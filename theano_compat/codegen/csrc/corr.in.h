/* Correlation of images with filters: patches of some images as the columns of a matrix, then one product per group.
   Three spatial axes; with two the first has extent 1.  @T@ is the element type, @N@ its name, @GEMM@ the product.

   g: images, channels, filters, groups; then per axis image, taps, positions, padding before, stride, dilation; then how
   many images are taken at once. */
enum {
    tc_B_@N@, tc_C_@N@, tc_O_@N@, tc_G_@N@,
    tc_I_@N@, tc_K_@N@ = tc_I_@N@ + 3, tc_P_@N@ = tc_K_@N@ + 3, tc_L_@N@ = tc_P_@N@ + 3, tc_S_@N@ = tc_L_@N@ + 3,
    tc_D_@N@ = tc_S_@N@ + 3, tc_M_@N@ = tc_D_@N@ + 3
};

/* Positions along the last axis whose tap at `at` (from the first padded element) lies inside: from lo to hi. */
static inline void tc_inner_@N@(int64_t n, int64_t positions, int64_t stride, int64_t at, int64_t *lo, int64_t *hi)
{
    const int64_t first = at >= 0 ? 0 : (-at + stride - 1) / stride;
    const int64_t last = n - 1 - at < 0 ? -1 : (n - 1 - at) / stride;
    *lo = first < positions ? first : positions;
    *hi = last + 1 < positions ? last + 1 : positions;
    if (*hi < *lo)
        *hi = *lo;
}

#define TC_CORR_PATCHES_@N@(NAME, IMAGE, COLUMN, ROW_OUTSIDE, EDGES, INNER)                                            \
    static void NAME(const int64_t *g, IMAGE *x, COLUMN *col, int64_t ld)                                              \
    {                                                                                                                  \
        const int64_t *I = g + tc_I_@N@, *K = g + tc_K_@N@, *P = g + tc_P_@N@, *L = g + tc_L_@N@, *S = g + tc_S_@N@,   \
                      *D = g + tc_D_@N@;                                                                               \
        for (int64_t c = 0; c < g[tc_C_@N@]; c++, x += I[0] * I[1] * I[2])                                             \
            for (int64_t k0 = 0; k0 < K[0]; k0++)                                                                      \
                for (int64_t k1 = 0; k1 < K[1]; k1++)                                                                  \
                    for (int64_t k2 = 0; k2 < K[2]; k2++, col += ld) {                                                 \
                        const int64_t at = k2 * D[2] - L[2], s = S[2];                                                 \
                        int64_t lo, hi;                                                                                \
                        tc_inner_@N@(I[2], P[2], s, at, &lo, &hi);                                                     \
                        COLUMN *row = col;                                                                             \
                        for (int64_t p0 = 0; p0 < P[0]; p0++) {                                                        \
                            const int64_t i0 = p0 * S[0] - L[0] + k0 * D[0];                                           \
                            for (int64_t p1 = 0; p1 < P[1]; p1++, row += P[2]) {                                       \
                                const int64_t i1 = p1 * S[1] - L[1] + k1 * D[1];                                       \
                                if (i0 < 0 || i0 >= I[0] || i1 < 0 || i1 >= I[1]) {                                    \
                                    ROW_OUTSIDE                                                                        \
                                    continue;                                                                          \
                                }                                                                                      \
                                IMAGE *from = x + (i0 * I[1] + i1) * I[2] + at;                                        \
                                EDGES                                                                                  \
                                if (s == 1)                                                                            \
                                    _Pragma("omp simd") for (int64_t p = lo; p < hi; p++) {                                                \
                                        IMAGE *v = from + p;                                                           \
                                        INNER                                                                          \
                                    }                                                                                  \
                                else                                                                                   \
                                    for (int64_t p = lo; p < hi; p++) {                                                \
                                        IMAGE *v = from + p * s;                                                       \
                                        INNER                                                                          \
                                    }                                                                                  \
                            }                                                                                          \
                        }                                                                                              \
                    }                                                                                                  \
    }

/* Patches of one image into columns of a matrix whose rows are `ld` apart; and back, added up. */
TC_CORR_PATCHES_@N@(tc_patches_@N@, const @T@, @T@, memset(row, 0, (size_t)P[2] * sizeof(@T@));,
                    for (int64_t p = 0; p < lo; p++) row[p] = 0; for (int64_t p = hi; p < P[2]; p++) row[p] = 0;,
                    row[p] = *v;)
TC_CORR_PATCHES_@N@(tc_gather_@N@, @T@, const @T@, , , *v += row[p];)

static inline int64_t tc_taps_@N@(const int64_t *g) { return g[tc_K_@N@] * g[tc_K_@N@ + 1] * g[tc_K_@N@ + 2]; }
static inline int64_t tc_image_@N@(const int64_t *g) { return g[tc_I_@N@] * g[tc_I_@N@ + 1] * g[tc_I_@N@ + 2]; }
static inline int64_t tc_positions_@N@(const int64_t *g) { return g[tc_P_@N@] * g[tc_P_@N@ + 1] * g[tc_P_@N@ + 2]; }

/* True where the patches are the image itself: one tap, no stride, no padding. */
static inline int tc_pointwise_@N@(const int64_t *g)
{
    int same = tc_taps_@N@(g) == 1;
    for (int a = 0; a < 3; a++)
        same = same && g[tc_S_@N@ + a] == 1 && g[tc_L_@N@ + a] == 0 && g[tc_I_@N@ + a] == g[tc_P_@N@ + a];
    return same;
}

static inline int tc_product_of_@N@(int64_t m, int64_t n, int64_t k, const @T@ *a, int64_t a0, int64_t a1, const @T@ *b,
                                    int64_t b0, int64_t b1, @T@ beta, @T@ *c, int64_t c0)
{
    const int64_t z = sizeof(@T@);
    @GEMM@
}

/* Rows of some images' output side by side (to == 1), or back (to == 0). */
static void tc_side_by_side_@N@(int to, int64_t images, int64_t rows, int64_t p, @T@ *tile, @T@ *top)
{
    for (int64_t j = 0; j < images; j++)
        for (int64_t o = 0; o < rows; o++) {
            @T@ *a = tile + (o * images + j) * p, *b = top + (j * rows + o) * p;
            memcpy(to ? a : b, to ? b : a, (size_t)p * sizeof(@T@));
        }
}

/* out = filters * patches */
static int tc_corr_forward_@N@(const int64_t *g, const @T@ *x, const @T@ *w, @T@ *out, @T@ *col, @T@ *tile)
{
    const int64_t B = g[tc_B_@N@], C = g[tc_C_@N@], O = g[tc_O_@N@], G = g[tc_G_@N@], p = tc_positions_@N@(g);
    const int64_t cg = C / G, og = O / G, k = cg * tc_taps_@N@(g), image = tc_image_@N@(g);
    const int pointwise = tc_pointwise_@N@(g);
    if (k == 0) {
        memset(out, 0, (size_t)(B * O * p) * sizeof(@T@));
        return 0;
    }
    for (int64_t b = 0; b < B;) {
        const int64_t n = pointwise ? 1 : tc_min(g[tc_M_@N@], B - b);
        const @T@ *cols = pointwise ? x + b * C * image : col;
        if (!pointwise)
            for (int64_t j = 0; j < n; j++)
                tc_patches_@N@(g, x + (b + j) * C * image, col + j * p, n * p);
        @T@ *to = n == 1 ? out + b * O * p : tile;
        for (int64_t i = 0; i < G; i++)
            if (tc_product_of_@N@(og, n * p, k, w + i * og * k, k, 1, cols + i * k * n * p, n * p, 1, 0, to + i * og * n * p,
                                  n * p))
                return 1;
        if (n > 1)
            tc_side_by_side_@N@(0, n, O, p, tile, out + b * O * p);
        b += n;
    }
    return 0;
}

/* dw = sum over the images of top * patches' */
static int tc_corr_weights_@N@(const int64_t *g, const @T@ *x, const @T@ *top, @T@ *dw, @T@ *col, @T@ *tile)
{
    const int64_t B = g[tc_B_@N@], C = g[tc_C_@N@], O = g[tc_O_@N@], G = g[tc_G_@N@], p = tc_positions_@N@(g);
    const int64_t cg = C / G, og = O / G, k = cg * tc_taps_@N@(g), image = tc_image_@N@(g);
    const int pointwise = tc_pointwise_@N@(g);
    if (B == 0 || p == 0)
        memset(dw, 0, (size_t)(O * k) * sizeof(@T@));
    if (p == 0)
        return 0;
    for (int64_t b = 0; b < B;) {
        const int64_t n = pointwise ? 1 : tc_min(g[tc_M_@N@], B - b);
        const @T@ *cols = pointwise ? x + b * C * image : col;
        if (!pointwise)
            for (int64_t j = 0; j < n; j++)
                tc_patches_@N@(g, x + (b + j) * C * image, col + j * p, n * p);
        const @T@ *tops = top + b * O * p;
        if (n > 1) {
            tc_side_by_side_@N@(1, n, O, p, tile, (@T@ *)tops);
            tops = tile;
        }
        for (int64_t i = 0; i < G; i++)
            if (tc_product_of_@N@(og, k, n * p, tops + i * og * n * p, n * p, 1, cols + i * k * n * p, 1, n * p, b ? 1 : 0,
                                  dw + i * og * k, k))
                return 1;
        b += n;
    }
    return 0;
}

/* dx = filters' * top, each patch added where it came from */
static int tc_corr_inputs_@N@(const int64_t *g, const @T@ *w, const @T@ *top, @T@ *dx, @T@ *col, @T@ *tile)
{
    const int64_t B = g[tc_B_@N@], C = g[tc_C_@N@], O = g[tc_O_@N@], G = g[tc_G_@N@], p = tc_positions_@N@(g);
    const int64_t cg = C / G, og = O / G, k = cg * tc_taps_@N@(g), image = tc_image_@N@(g);
    const int pointwise = tc_pointwise_@N@(g) && O > 0;
    if (!pointwise)
        memset(dx, 0, (size_t)(B * C * image) * sizeof(@T@));
    if (O == 0 || p == 0 || k == 0)
        return 0;
    for (int64_t b = 0; b < B;) {
        const int64_t n = pointwise ? 1 : tc_min(g[tc_M_@N@], B - b);
        const @T@ *tops = top + b * O * p;
        if (n > 1) {
            tc_side_by_side_@N@(1, n, O, p, tile, (@T@ *)tops);
            tops = tile;
        }
        @T@ *cols = pointwise ? dx + b * C * image : col;
        for (int64_t i = 0; i < G; i++)
            if (tc_product_of_@N@(k, n * p, og, w + i * og * k, 1, k, tops + i * og * n * p, n * p, 1, 0, cols + i * k * n * p,
                                  n * p))
                return 1;
        if (!pointwise)
            for (int64_t j = 0; j < n; j++)
                tc_gather_@N@(g, dx + (b + j) * C * image, col + j * p, n * p);
        b += n;
    }
    return 0;
}

/* The three directions, by several threads: images have nothing to do with each other, except that the gradient of the
   filters is their sum, which is made in parts that depend on the shape alone. */
typedef int tc_corr_@N@(const int64_t *g, const @T@ *first, const @T@ *second, @T@ *out, @T@ *col, @T@ *tile);
enum { tc_forward_@N@, tc_weights_@N@, tc_inputs_@N@ };
enum { tc_corr_parts_@N@ = 16 };

typedef struct {
    tc_corr_@N@ *f;
    const int64_t *g;
    const @T@ *first, *second;
    @T@ *out, *col, *tile;
    int64_t steps[3], rooms[2]; /* elements of an image of first, second, out; of a worker's rooms */
    int64_t units, parts;       /* images taken together count as one */
    int failed;
} tc_corr_job_@N@;

static void tc_corr_range_@N@(void *arg, int64_t from, int64_t to, int worker)
{
    tc_corr_job_@N@ *t = arg;
    const int64_t m = t->g[tc_M_@N@], b = from * m;
    int64_t g[tc_M_@N@ + 1];
    memcpy(g, t->g, sizeof g);
    g[tc_B_@N@] = tc_min(to * m, g[tc_B_@N@]) - b;
    if (t->f(g, t->first + b * t->steps[0], t->second + b * t->steps[1], t->out + b * t->steps[2],
             t->col + worker * t->rooms[0], t->tile + worker * t->rooms[1]))
        __atomic_store_n(&t->failed, 1, __ATOMIC_RELAXED);
}

static void tc_corr_part_@N@(void *arg, int64_t i, int worker)
{
    tc_corr_job_@N@ *t = arg, mine = *t;
    const int64_t from = t->units * i / t->parts, to = t->units * (i + 1) / t->parts;
    mine.out += i * t->g[tc_O_@N@] * (t->g[tc_C_@N@] / t->g[tc_G_@N@]) * tc_taps_@N@(t->g);
    tc_corr_range_@N@(&mine, from, to, worker);
    if (mine.failed)
        __atomic_store_n(&t->failed, 1, __ATOMIC_RELAXED);
}

/* Sums of parts, each as large as `out`. */
static int tc_corr_sum_@N@(tc_corr_job_@N@ *t, int64_t size, int64_t workers)
{
    @T@ *out = t->out;
    t->out = (@T@ *)malloc((size_t)(t->parts * size) * sizeof(@T@));
    if (!t->out)
        return 1;
    TC_POOL->run(tc_corr_part_@N@, t, t->parts, (int)workers);
    memcpy(out, t->out, (size_t)size * sizeof(@T@));
    for (int64_t i = 1; i < t->parts; i++)
        for (int64_t j = 0; j < size; j++)
            out[j] += t->out[i * size + j];
    free(t->out);
    return t->failed;
}

static int tc_corr_run_@N@(int what, const int64_t *g, const @T@ *first, const @T@ *second, @T@ *out, @T@ *col, @T@ *tile,
                           int64_t workers)
{
    const int64_t B = g[tc_B_@N@], C = g[tc_C_@N@], O = g[tc_O_@N@], p = tc_positions_@N@(g), m = g[tc_M_@N@];
    const int64_t k = C / g[tc_G_@N@] * tc_taps_@N@(g), image = C * tc_image_@N@(g);
    tc_corr_job_@N@ t = {what == tc_forward_@N@ ? tc_corr_forward_@N@ : what == tc_weights_@N@ ? tc_corr_weights_@N@ : tc_corr_inputs_@N@,
                         g, first, second, out, col, tile,
                         {what == tc_inputs_@N@ ? 0 : image, what == tc_forward_@N@ ? 0 : O * p,
                          what == tc_forward_@N@ ? O * p : what == tc_inputs_@N@ ? image : 0},
                         {C * tc_taps_@N@(g) * m * p, O * m * p}, (B + m - 1) / m, 1, 0};
    /* multiplications, and the patches */
    const double work = (double)(B * p) * ((double)(O * k) * 0.006 + (double)(C * tc_taps_@N@(g)) * 0.06) * sizeof(@T@);
    if (what != tc_weights_@N@) {
        if (B == 0)
            return 0;
        tc_each(tc_corr_range_@N@, &t, t.units, work, workers);
        return t.failed;
    }
    t.parts = tc_min(tc_min(t.units, tc_corr_parts_@N@), (int64_t)tc_min(work / (TC_WORTH / 2), 1e6));
    /* not where the parts would need much memory beside what is summed */
    if (TC_POOL && t.parts > 1 && t.parts * O * k <= tc_max(1 << 16, 2 * B * (image + O * p)))
        return tc_corr_sum_@N@(&t, O * k, workers);
    return tc_corr_weights_@N@(g, first, second, out, col, tile);
}
