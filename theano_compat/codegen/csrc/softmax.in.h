/* Softmax family on the rows of a matrix: rows are shifted by their maximum in blocks that stay in the first cache, one
   vector loop takes the exponentials of a block, then the sums.  @T@ is the element type, @N@ its name, @f@ libm's suffix. */
enum { tc_softmax_block_@N@ = 2048 };

/* One row of x + b into contiguous memory, less its maximum, which is returned.  NaN is ignored here: it makes the sum NaN. */
static inline @T@ tc_shift_@N@(int64_t k, const char *x, int64_t x1, const char *b, int64_t b1, @T@ *restrict o)
{
    const int64_t z = sizeof(@T@);
    @T@ m = -INFINITY;
    if (b == NULL && x1 == z) {
        const @T@ *restrict v = (const @T@ *)x;
#pragma omp simd reduction(max : m)
        for (int64_t j = 0; j < k; j++)
            m = v[j] > m ? v[j] : m;
#pragma omp simd
        for (int64_t j = 0; j < k; j++)
            o[j] = v[j] - m;
        return m;
    }
    if (b == NULL)
        for (int64_t j = 0; j < k; j++)
            o[j] = *(const @T@ *)(x + j * x1);
    else if (x1 == z && b1 == z) {
        const @T@ *v = (const @T@ *)x, *w = (const @T@ *)b;
#pragma omp simd
        for (int64_t j = 0; j < k; j++)
            o[j] = v[j] + w[j];
    } else
        for (int64_t j = 0; j < k; j++)
            o[j] = *(const @T@ *)(x + j * x1) + *(const @T@ *)(b + j * b1);
#pragma omp simd reduction(max : m)
    for (int64_t j = 0; j < k; j++)
        m = o[j] > m ? o[j] : m;
#pragma omp simd
    for (int64_t j = 0; j < k; j++)
        o[j] -= m;
    return m;
}

static inline @T@ tc_normalise_@N@(int64_t k, @T@ *restrict o)
{
    @T@ s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t j = 0; j < k; j++)
        s += o[j];
    const @T@ r = 1 / s;
#pragma omp simd
    for (int64_t j = 0; j < k; j++)
        o[j] *= r;
    return s;
}

static void tc_exp_all_@N@(int64_t n, @T@ *restrict o)
{
#pragma omp simd
    for (int64_t j = 0; j < n; j++)
        o[j] = exp@f@(o[j]);
}

/* Rows per block. */
static inline int64_t tc_rows_@N@(int64_t k)
{
    return k >= tc_softmax_block_@N@ || k == 0 ? 1 : tc_softmax_block_@N@ / k;
}

static void tc_softmax_@N@(int64_t n, int64_t k, const char *x, int64_t x0, int64_t x1, const char *b, int64_t b1,
                           @T@ *out)
{
    const int64_t step = tc_rows_@N@(k);
    for (int64_t i0 = 0; i0 < n; i0 += step) {
        const int64_t rows = n - i0 < step ? n - i0 : step;
        @T@ *o = out + i0 * k;
        for (int64_t i = 0; i < rows; i++)
            tc_shift_@N@(k, x + (i0 + i) * x0, x1, b, b1, o + i * k);
        tc_exp_all_@N@(rows * k, o);
        for (int64_t i = 0; i < rows; i++)
            tc_normalise_@N@(k, o + i * k);
    }
}

static void tc_logsoftmax_@N@(int64_t n, int64_t k, const char *x, int64_t x0, int64_t x1, @T@ *out)
{
    @T@ e[tc_softmax_block_@N@];
    const int64_t step = tc_rows_@N@(k);
    for (int64_t i0 = 0; i0 < n; i0 += step) {
        const int64_t rows = n - i0 < step ? n - i0 : step;
        @T@ *o = out + i0 * k;
        for (int64_t i = 0; i < rows; i++)
            tc_shift_@N@(k, x + (i0 + i) * x0, x1, NULL, 0, o + i * k);
        if (k > tc_softmax_block_@N@) {
            @T@ s = 0;
            for (int64_t j0 = 0; j0 < k; j0 += tc_softmax_block_@N@) {
                const int64_t c = k - j0 < tc_softmax_block_@N@ ? k - j0 : tc_softmax_block_@N@;
#pragma omp simd reduction(+ : s)
                for (int64_t j = 0; j < c; j++)
                    s += exp@f@(o[j0 + j]);
            }
            const @T@ l = log@f@(s);
#pragma omp simd
            for (int64_t j = 0; j < k; j++)
                o[j] -= l;
            continue;
        }
        memcpy(e, o, (size_t)(rows * k) * sizeof(@T@));
        tc_exp_all_@N@(rows * k, e);
        for (int64_t i = 0; i < rows; i++) {
            @T@ s = 0, *restrict q = o + i * k;
            const @T@ *restrict p = e + i * k;
#pragma omp simd reduction(+ : s)
            for (int64_t j = 0; j < k; j++)
                s += p[j];
            const @T@ l = log@f@(s);
#pragma omp simd
            for (int64_t j = 0; j < k; j++)
                q[j] -= l;
        }
    }
}

/* dx = dy * sm - sum(dy * sm) * sm */
static void tc_softmax_grad_@N@(int64_t n, int64_t k, const char *dy, int64_t d0, int64_t d1, const char *sm, int64_t s0,
                                int64_t s1, @T@ *out)
{
    const int64_t z = sizeof(@T@);
    for (int64_t i = 0; i < n; i++) {
        const char *di = dy + i * d0, *si = sm + i * s0;
        @T@ *restrict o = out + i * k, t = 0;
        if (d1 == z && s1 == z) {
            const @T@ *d = (const @T@ *)di, *s = (const @T@ *)si;
#pragma omp simd reduction(+ : t)
            for (int64_t j = 0; j < k; j++)
                t += d[j] * s[j];
#pragma omp simd
            for (int64_t j = 0; j < k; j++)
                o[j] = (d[j] - t) * s[j];
        } else {
            for (int64_t j = 0; j < k; j++)
                t += *(const @T@ *)(di + j * d1) * *(const @T@ *)(si + j * s1);
            for (int64_t j = 0; j < k; j++)
                o[j] = (*(const @T@ *)(di + j * d1) - t) * *(const @T@ *)(si + j * s1);
        }
    }
}
