/* Positions from index arrays: one dimension's contribution to byte offsets, with bounds checked.
   Returns 0, or the position (plus 1) of the first bad index. */
#define TC_OFFSETS(T)                                                                                                   \
    static int64_t tc_offsets_##T(int64_t n, int64_t *to, const char *from, int64_t step, int64_t extent, int64_t size) \
    {                                                                                                                   \
        for (int64_t k = 0; k < n; k++) {                                                                               \
            int64_t i = (int64_t) * (const T *)(from + k * step);                                                       \
            if (!tc_inside(&i, extent))                                                                                 \
                return k + 1;                                                                                           \
            to[k] += i * size;                                                                                          \
        }                                                                                                               \
        return 0;                                                                                                       \
    }
