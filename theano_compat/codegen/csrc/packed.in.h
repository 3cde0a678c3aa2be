/* Products that share their second factor, in the steps of a loop: it is packed once, into panels of columns as wide as the
   registers take, where a library would pack it again each time.  @T@ is the element type, @N@ its name. */
enum { tc_panel_width_@N@ = 2 * tc_lanes_@N@, tc_packed_depth_@N@ = 384 };
TC_PANEL(tc_packed6_@N@, @T@, @N@, 6, 2)
TC_PANEL(tc_packed1_@N@, @T@, @N@, 1, 2)

/* Whether packing pays: enough rows to use it, not so many that a library's packing no longer counts. */
static int tc_packing_pays_@N@(int64_t m, int64_t n, int64_t k)
{
    return m > 16 && m <= 192 && m * n * k > (1 << 16) && n >= tc_panel_width_@N@;
}

/* Bytes of the panels. */
static int64_t tc_packed_bytes_@N@(int64_t m, int64_t n, int64_t k)
{
    enum { W = tc_panel_width_@N@ };
    const int64_t e[2] = {(n + W - 1) / W * W, k};
    return tc_packing_pays_@N@(m, n, k) ? tc_bytes(2, e, sizeof(@T@)) : 0;
}

static void tc_pack_panels_@N@(int64_t n, int64_t k, const char *b, int64_t b0, int64_t b1, char *panels)
{
    enum { W = tc_panel_width_@N@ };
    @T@ *to = (@T@ *)panels;
    for (int64_t j = 0; j < n; j += W)
        for (int64_t l = 0; l < k; l++, to += W)
            for (int64_t w = 0; w < W; w++)
                to[w] = j + w < n ? *(const @T@ *)(b + l * b0 + (j + w) * b1) : (@T@)0;
}

/* c = alpha a b + beta c; b packed. */
static void tc_product_packed_@N@(int64_t m, int64_t n, int64_t k, @T@ alpha, const char *pa, int64_t a0, int64_t a1, const char *pb,
                                  @T@ beta, char *pc, int64_t c0, int64_t c1)
{
    enum { W = tc_panel_width_@N@, D = tc_packed_depth_@N@ };
    const int64_t z = sizeof(@T@);
    const @T@ *a = (const @T@ *)pa, *b = (const @T@ *)pb;
    __attribute__((aligned(64))) @T@ edge[6 * W];
    a0 /= z, a1 /= z;
    for (int64_t l = 0; l < k; l += D) {
        const int64_t d = tc_min(D, k - l);
        const @T@ old = l ? 1 : beta;
        for (int64_t j = 0; j < n; j += W) {
            const @T@ *panel = b + j * k + l * W;
            for (int64_t i = 0, rows; i < m; i += rows) {
                const @T@ *ai = a + i * a0 + l * a1;
                char *to = pc + i * c0 + j * c1;
                rows = m - i >= 6 && m - i != 8 ? 6 : m - i >= 4 ? 4 : 1;
                const int whole = c1 == z && c0 % z == 0 && j + W <= n;
                (rows == 6 ? tc_packed6_@N@ : rows == 4 ? tc_panel_4x2_@N@ : tc_packed1_@N@)(
                    d, alpha, ai, a0, a1, panel, W, whole ? old : 0, whole ? (@T@ *)to : edge, whole ? c0 / z : W);
                if (!whole)
                    for (int64_t r = 0; r < rows; r++)
                        for (int64_t w = 0; w < W && j + w < n; w++) {
                            @T@ *p = (@T@ *)(to + r * c0 + w * c1);
                            *p = old == 0 ? edge[r * W + w] : old * *p + edge[r * W + w];
                        }
            }
        }
    }
}
