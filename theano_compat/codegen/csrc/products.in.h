/* Matrix products for one element type as a table of functions: a library makes them once for all that is compiled.
   @T@ is the element type, @N@ its name. */
typedef struct {
    int (*gemm)(int64_t m, int64_t n, int64_t k, @T@ alpha, const char *a, int64_t a0, int64_t a1, const char *b, int64_t b0, int64_t b1,
                @T@ beta, char *c, int64_t c0, int64_t c1);
    int (*gemv)(int64_t m, int64_t k, @T@ alpha, const char *a, int64_t a0, int64_t a1, const char *x, int64_t x0, @T@ beta, char *y,
                int64_t y0);
    /* a factor that many products share: the bytes it takes packed (0 where that does not pay), packing it, using it */
    int64_t (*packed_bytes)(int64_t m, int64_t n, int64_t k);
    void (*pack)(int64_t n, int64_t k, const char *b, int64_t b0, int64_t b1, char *to);
    void (*packed)(int64_t m, int64_t n, int64_t k, @T@ alpha, const char *a, int64_t a0, int64_t a1, const char *b, @T@ beta, char *c,
                   int64_t c0, int64_t c1);
} tc_products_@N@;
