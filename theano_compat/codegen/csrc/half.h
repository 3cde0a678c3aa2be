/* IEEE 754 binary16 to float and back, round half to even. */
static inline float tc_h2f(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, body = h & 0x7fffu;
    union { uint32_t u; float f; } r;
    if (body >= 0x7c00u)
        r.u = sign | 0x7f800000u | (body & 0x3ffu) << 13;
    else if (body >= 0x400u)
        r.u = sign | ((body << 13) + 0x38000000u);
    else {
        r.f = (float)body * 0x1p-24f;
        r.u |= sign;
    }
    return r.f;
}

static inline uint16_t tc_f2h(float x)
{
    union { float f; uint32_t u; } v = {x}, t;
    const uint32_t sign = v.u >> 16 & 0x8000u;
    v.u &= 0x7fffffffu;
    if (v.u > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u | (v.u >> 13 & 0x3ffu));
    if (v.u >= 0x477ff000u)
        return (uint16_t)(sign | 0x7c00u);
    if (v.u < 0x38800000u) {
        t.f = v.f + 0.5f;
        return (uint16_t)(sign | (t.u - 0x3f000000u));
    }
    return (uint16_t)(sign | ((v.u + 0xfffu + (v.u >> 13 & 1u) - 0x38000000u) >> 13));
}

static inline float tc_round16(float x)
{
    return tc_h2f(tc_f2h(x));
}
