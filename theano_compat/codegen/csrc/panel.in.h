/* Products whose second factor has contiguous rows and stays in the cache: a block of rows of `a` times a panel of columns of
   `b`, with all sums in registers and nothing packed.  @T@ is the element type, @N@ its name. */
#define TC_PANEL(NAME, T, N, R, U)                                                                                     \
    TC_FUSED void NAME(int64_t k, T alpha, const T *a, int64_t a0, int64_t a1, const T *b, int64_t b0, T beta, T *c,   \
                       int64_t c0)                                                                                     \
    {                                                                                                                  \
        TC_FUSED_BODY                                                                                                  \
        tc_vec_##N s[R][U];                                                                                            \
        _Pragma("GCC unroll 8") for (int r = 0; r < R; r++)                                                            \
            _Pragma("GCC unroll 8") for (int u = 0; u < U; u++)                                                        \
                s[r][u] = (tc_vec_##N){0};                                                                             \
        for (int64_t l = 0; l < k; l++, a += a1, b += b0) {                                                            \
            tc_vec_##N v[U];                                                                                           \
            _Pragma("GCC unroll 8") for (int u = 0; u < U; u++)                                                        \
                v[u] = *(const tc_vec_##N *)(b + u * tc_lanes_##N);                                                    \
            _Pragma("GCC unroll 8") for (int r = 0; r < R; r++) {                                                      \
                const T x = a[r * a0];                                                                                 \
                _Pragma("GCC unroll 8") for (int u = 0; u < U; u++)                                                    \
                    s[r][u] += x * v[u];                                                                               \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("GCC unroll 8") for (int r = 0; r < R; r++)                                                            \
            _Pragma("GCC unroll 8") for (int u = 0; u < U; u++) {                                                      \
                tc_vec_##N *to = (tc_vec_##N *)(c + r * c0 + u * tc_lanes_##N);                                        \
                *to = beta == 0 ? alpha * s[r][u] : beta * *to + alpha * s[r][u];                                      \
            }                                                                                                          \
    }

TC_PANEL(tc_panel_4x2_@N@, @T@, @N@, 4, 2)
TC_PANEL(tc_panel_4x1_@N@, @T@, @N@, 4, 1)
TC_PANEL(tc_panel_1x4_@N@, @T@, @N@, 1, 4)
TC_PANEL(tc_panel_1x1_@N@, @T@, @N@, 1, 1)

/* c = alpha a b + beta c where that pays, for b and c with contiguous rows; tells whether it did. */
static int tc_try_panel_@N@(int64_t m, int64_t n, int64_t k, @T@ alpha, const char *pa, int64_t a0, int64_t a1, const char *pb,
                            int64_t b0, int64_t b1, @T@ beta, char *pc, int64_t c0, int64_t c1)
{
    enum { L = tc_lanes_@N@ };
    const int64_t z = sizeof(@T@);
    /* a library's kernels win where there are enough rows to pay for its packing; single columns at the end are slow here */
    if (n < L || n * k * z > (1 << 18) || (m > 16 && m * n * k > (1 << 19)) || (m > 1 && n % L * 8 > n) || b1 != z || c1 != z ||
        (a0 | a1 | b0 | c0) % z)
        return 0;
    const @T@ *a = (const @T@ *)pa, *b = (const @T@ *)pb;
    @T@ *c = (@T@ *)pc;
    a0 /= z, a1 /= z, b0 /= z, c0 /= z;
    for (int64_t i = 0, rows; i < m; i += rows) {
        const @T@ *ai = a + i * a0;
        @T@ *ci = c + i * c0;
        int64_t j = 0;
        rows = m - i >= 4 ? 4 : 1;
        if (rows == 4)
            for (; j + 2 * L <= n; j += 2 * L)
                tc_panel_4x2_@N@(k, alpha, ai, a0, a1, b + j, b0, beta, ci + j, c0);
        else
            for (; j + 4 * L <= n; j += 4 * L)
                tc_panel_1x4_@N@(k, alpha, ai, a0, a1, b + j, b0, beta, ci + j, c0);
        for (; j + L <= n; j += L)
            (rows == 4 ? tc_panel_4x1_@N@ : tc_panel_1x1_@N@)(k, alpha, ai, a0, a1, b + j, b0, beta, ci + j, c0);
    }
    for (int64_t j = n - n % L; j < n; j++)
        for (int64_t i = 0; i < m; i++) {
            @T@ sum = 0, *to = c + i * c0 + j;
            for (int64_t l = 0; l < k; l++)
                sum += a[i * a0 + l * a1] * b[l * b0 + j];
            *to = beta == 0 ? alpha * sum : beta * *to + alpha * sum;
        }
    return 1;
}
