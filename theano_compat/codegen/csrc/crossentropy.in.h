/* Crossentropy of a softmax against class indices of type @I@ (named @M@), for elements @T@ (named @N@). */

/* Row of the first index outside 0 .. k - 1, or -1. */
static int64_t tc_bad_label_@N@_@M@(int64_t n, int64_t k, const char *y, int64_t y0)
{
    for (int64_t i = 0; i < n; i++) {
        const @I@ v = *(const @I@ *)(y + i * y0);
        if (v < 0 || (uint64_t)v >= (uint64_t)k)
            return i;
    }
    return -1;
}

static void tc_crossentropy_@N@_@M@(int64_t n, int64_t k, const char *x, int64_t x0, int64_t x1, const char *b, int64_t b1,
                                    const char *y, int64_t y0, @T@ *nll, @T@ *sm, @I@ *am)
{
    const int64_t step = tc_rows_@N@(k);
    for (int64_t i0 = 0; i0 < n; i0 += step) {
        const int64_t rows = n - i0 < step ? n - i0 : step;
        @T@ *o = sm + i0 * k;
        for (int64_t i = 0; i < rows; i++) {
            @T@ *row = o + i * k;
            tc_shift_@N@(k, x + (i0 + i) * x0, x1, b, b1, row);
            if (am) {
                /* the first place that holds the maximum, or the first NaN */
                int64_t at = 0;
                while (at < k - 1 && row[at] < 0)
                    at++;
                for (int64_t j = at; j < k; j++)
                    if (row[j] != row[j]) {
                        at = j;
                        break;
                    }
                am[i0 + i] = (@I@)at;
            }
            nll[i0 + i] = -row[*(const @I@ *)(y + (i0 + i) * y0)];
        }
        tc_exp_all_@N@(rows * k, o);
        for (int64_t i = 0; i < rows; i++)
            nll[i0 + i] += log@f@(tc_normalise_@N@(k, o + i * k));
    }
}

/* dx = dy * (sm - one hot) */
static void tc_crossentropy_dx_@N@_@M@(int64_t n, int64_t k, const char *dy, int64_t d0, const char *sm, int64_t s0,
                                       int64_t s1, const char *y, int64_t y0, @T@ *out)
{
    for (int64_t i = 0; i < n; i++) {
        const @T@ d = *(const @T@ *)(dy + i * d0);
        const char *si = sm + i * s0;
        @T@ *restrict o = out + i * k;
        if (s1 == (int64_t)sizeof(@T@)) {
            const @T@ *restrict s = (const @T@ *)si;
#pragma omp simd
            for (int64_t j = 0; j < k; j++)
                o[j] = d * s[j];
        } else
            for (int64_t j = 0; j < k; j++)
                o[j] = d * *(const @T@ *)(si + j * s1);
        o[*(const @I@ *)(y + i * y0)] -= d;
    }
}
