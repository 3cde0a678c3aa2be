/* Plain copies of strided arrays, element by element of `size` bytes. */
static void tc_copy(int nd, const int64_t *e, char *to, const int64_t *st, const char *from, const int64_t *sf,
                    int64_t size)
{
    if (nd == 0) {
        memcpy(to, from, (size_t)size);
        return;
    }
    if (nd == 1) {
        const int64_t n = e[0], a = st[0], b = sf[0];
        if (a == size && b == size)
            memcpy(to, from, (size_t)(n > 0 ? n * size : 0));
        else if (size == 8)
            for (int64_t i = 0; i < n; i++)
                memcpy(to + i * a, from + i * b, 8);
        else if (size == 4)
            for (int64_t i = 0; i < n; i++)
                memcpy(to + i * a, from + i * b, 4);
        else
            for (int64_t i = 0; i < n; i++)
                memcpy(to + i * a, from + i * b, (size_t)size);
        return;
    }
    for (int64_t i = 0; i < e[0]; i++)
        tc_copy(nd - 1, e + 1, to + i * st[0], st + 1, from + i * sf[0], sf + 1, size);
}
