"""Special functions in C, in double precision: plain C99 over libm.

Formulas: recurrences and asymptotic series of the gamma family (Abramowitz and Stegun, chapter 6), series and
continued fraction of the incomplete gamma functions (6.5.29, 6.5.31; the fraction by the modified Lentz method),
power and asymptotic series of the modified Bessel functions (9.6.10, 9.7.1), Newton steps for the inverse error
functions. Tests compare each with SciPy.
"""
from __future__ import annotations

import math

from theano_compat.scalar.c_helpers import Helper

SINPI = Helper(
    "tc_sinpi",
    """static inline double tc_sinpi(double x) {
  /* sin(pi x) with the argument reduced first, so that it is exact at whole numbers */
  double r = fmod(fabs(x), 2.0), s;
  if (r <= 0.25) s = sin(3.14159265358979323846 * r);
  else if (r < 0.75) s = cos(3.14159265358979323846 * (0.5 - r));
  else if (r <= 1.25) s = sin(3.14159265358979323846 * (1.0 - r));
  else if (r < 1.75) s = -cos(3.14159265358979323846 * (1.5 - r));
  else s = sin(3.14159265358979323846 * (r - 2.0));
  return x < 0 ? -s : s;
}""",
)

GAMMA = Helper(
    "tc_gamma",
    """static inline double tc_gamma(double x) {
  if (x == 0) return copysign(INFINITY, x);
  if (x < 0 && (x == floor(x) || isinf(x))) return NAN;
  return tgamma(x);
}""",
)

GAMMALN = Helper(
    "tc_gammaln",
    """static inline double tc_gammaln(double x) {
  /* own form of lgamma: libm's writes the global signgam, which threads would share */
  if (isnan(x)) return x;
  if (isinf(x)) return INFINITY;
  if (x <= 0 && x == floor(x)) return INFINITY;
  if (x < 0.5) return log(3.14159265358979323846 / fabs(tc_sinpi(x))) - tc_gammaln_positive(1.0 - x);
  return tc_gammaln_positive(x);
}""",
    needs=(
        SINPI,
        Helper(
            "tc_gammaln_positive",
            """static inline double tc_gammaln_positive(double x) {
  if (x < 20.0) {
    if (x > 0.7 && x < 2.5) {
      /* log(gamma(1+t)) = -log1p(t) + t (1 - euler) + sum (-1)^k (zeta(k) - 1) t^k / k, |t| <= 1/2, moved there */
      static const double c[] = {ZETA_TERMS};
      double shift = 0, y = x;
      if (y > 1.5) { y -= 1.0; shift = y == 1.0 ? 0.0 : log1p(y - 1.0); }
      double t = y - 1.0, sum = 0;
      for (int k = NTERMS - 1; k >= 0; --k) sum = sum * t + c[k];
      return shift + (t * (0.42278433509846713939 + t * sum) - log1p(t));
    }
    return log(fabs(tgamma(x)));
  }
  double r = 1.0 / (x * x);
  double series = ((((((-691.0 / 360360.0) * r + 1.0 / 1188.0) * r - 1.0 / 1680.0) * r + 1.0 / 1260.0) * r
                    - 1.0 / 360.0) * r + 1.0 / 12.0) / x;
  return (x - 0.5) * log(x) - x + 0.91893853320467274178 + series;
}""",
        ),
    ),
)


def _zeta_minus_one(k: int) -> float:
    """Riemann's zeta function minus 1, for k >= 2, by Euler and Maclaurin's formula."""
    n = 60 if k < 10 else 12
    head = math.fsum(j ** -float(k) for j in range(2, n))
    tail = n ** (1.0 - k) / (k - 1) + 0.5 * n**-k + k * n ** (-k - 1.0) / 12
    tail -= k * (k + 1) * (k + 2) * n ** (-k - 3.0) / 720
    tail += k * (k + 1) * (k + 2) * (k + 3) * (k + 4) * n ** (-k - 5.0) / 30240
    return head + tail


def _fill(helper: Helper) -> Helper:
    """Put the series' coefficients into the text of `helper` and of what it needs."""
    terms = [(-1) ** k * _zeta_minus_one(k) / k for k in range(2, 42)]
    text = helper.text.replace("ZETA_TERMS", ", ".join(map(repr, terms))).replace("NTERMS", str(len(terms)))
    return Helper(helper.name, text, tuple(map(_fill, helper.needs)))


GAMMALN = _fill(GAMMALN)

PSI = Helper(
    "tc_psi",
    """static inline double tc_psi(double x) {
  if (isnan(x) || x == INFINITY) return x;
  if (x == 0) return copysign(INFINITY, -x);
  if (x == -INFINITY || (x < 0 && x == floor(x))) return NAN;
  double shift = 0;
  if (x < 0) {
    shift = -3.14159265358979323846 * tc_sinpi(0.5 - fmod(fabs(x), 2.0)) / tc_sinpi(x);
    x = 1.0 - x;
  }
  if (x >= 1.0 && x <= 2.0) return shift + tc_psi_near_root(x);
  while (x < 1.0) { shift -= 1.0 / x; x += 1.0; }
  if (x <= 2.0) return shift + tc_psi_near_root(x);
  double down = 0;
  while (x < 10.0) { down += 1.0 / x; x += 1.0; }
  double r = 1.0 / (x * x);
  double series = r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132
                  - r * (691.0 / 32760 - r * (1.0 / 12)))))));
  return shift + (log(x) - 0.5 / x - series - down);
}""",
    needs=(
        SINPI,
        Helper(
            "tc_psi_near_root",
            """static inline double tc_psi_near_root(double x) {
  /* psi(x) = sum over n of (x - root) / ((n + root)(n + x)), with the tail of the sum by Euler and Maclaurin:
     every term has the factor x - root, so the relative error stays small where psi vanishes */
  const double root_high = 1.4616321449683622, root_low = 9.549995429965697e-17;
  double d = (x - root_high) - root_low, r0 = root_high, sum = 0;
  for (int n = 0; n < 16; ++n) sum += 1.0 / ((n + r0) * (n + x));
  double a = 16 + r0, b = 16 + x, ratio = d / a;
  /* integral of the tail: log(b / a) / d, written so that d = 0 is fine */
  double integral = fabs(ratio) < 1e-8 ? (1.0 - 0.5 * ratio) / a : log1p(ratio) / d;
  double ia = 1.0 / a, ib = 1.0 / b, f = ia * ib;
  double s1 = ia + ib, p2 = ia * ia, q2 = ib * ib;
  /* with g(t) = (1/(t+a) - 1/(t+b)) / d its odd derivatives at 0 are -f s1, -6 f s3, -120 f s5, -5040 f s7 */
  double s3 = (p2 + q2) * (ia + ib), s5 = (p2 * p2 + q2 * q2) * (ia + ib) + p2 * q2 * (ia + ib);
  double s7 = 0, pa = 1;
  for (int k = 0; k <= 7; ++k) { double pb = 1; for (int j = k; j < 7; ++j) pb *= ib; s7 += pa * pb; pa *= ia; }
  double tail = integral + 0.5 * f + f * s1 / 12 - f * s3 / 120 + f * s5 / 252 - f * s7 / 240;
  return d * (sum + tail);
}""",
        ),
    ),
)

TRIGAMMA = Helper(
    "tc_trigamma",
    """static inline double tc_trigamma(double x) {
  if (isnan(x)) return x;
  if (isinf(x)) return x > 0 ? 0.0 : NAN;
  if (x <= 0 && x == floor(x)) return INFINITY;
  double sum = 0, sign = 1;
  if (x < 0) {
    double s = tc_sinpi(x);
    sum = 9.8696044010893586188 / (s * s);
    sign = -1;
    x = 1.0 - x;
  }
  double up = 0;
  while (x < 15.0) { up += 1.0 / (x * x); x += 1.0; }
  double r = 1.0 / (x * x);
  double series = 1.0 / x + 0.5 * r
    + r / x * (1.0 / 6 - r * (1.0 / 30 - r * (1.0 / 42 - r * (1.0 / 30 - r * (5.0 / 66 - r * (691.0 / 2730))))));
  return sum + sign * (up + series);
}""",
    needs=(SINPI,),
)

ERFCX = Helper(
    "tc_erfcx",
    """static inline double tc_erfcx(double x) {
  if (x < -26.7) return x != x ? x : INFINITY;
  if (x < 2.0) {
    /* exp(x^2) with the rounding error of the square put back */
    double s = x * x, e = fma(x, x, -s);
    return exp(s) * (1.0 + e) * erfc(x);
  }
  if (x > 1e8) return 0.56418958354775628695 / x;
  /* continued fraction of Laplace: x + (1/2)/(x + 1/(x + (3/2)/(x + ...))), from the far end */
  int n = (int)(12 + 500.0 / (x * x));
  double tail = x;
  for (int k = n; k > 0; --k) tail = x + 0.5 * k / tail;
  return 0.56418958354775628695 / tail;
}""",
)

ERFINV = Helper(
    "tc_erfinv",
    """static inline double tc_erfinv(double y) {
  double a = fabs(y);
  if (!(a < 1.0)) return a == 1.0 ? copysign(INFINITY, y) : NAN;
  if (a > 0.5) return copysign(tc_erfcinv_small(1.0 - a), y);
  if (a < 1e-8) return y * 0.88622692545275801365;
  double x = y * 0.88622692545275801365;
  x *= 1.0 + y * y * 0.26179938779914943654;
  for (int i = 0; i < 4; ++i) {
    double step = (erf(x) - y) * 0.88622692545275801365 * exp(x * x);
    x -= step / (1.0 + x * step);
  }
  return x;
}""",
    needs=(
        Helper(
            "tc_erfcinv_small",
            """static inline double tc_erfcinv_small(double q) {
  /* root of erfc(x) = q for 0 < q <= 1/2: Halley's steps on log(erfc), from the tail's leading terms */
  double l = -log(q), x = sqrt(l > 1.0 ? l - 0.5 * log(3.14159265358979 * l) : 0.4 * l + 0.05);
  double target = -l;
  for (int i = 0; i < 6; ++i) {
    double e = tc_erfcx(x), f = log(e) - x * x - target;
    double slope = -1.1283791670955126 / e, bend = slope * (-2.0 * x - slope);
    double step = f / slope;
    step /= 1.0 - 0.5 * step * bend / slope;
    x -= step;
    if (fabs(step) <= 1e-16 * x) break;
  }
  return x;
}""",
            needs=(ERFCX,),
        ),
    ),
)

ERFCINV = Helper(
    "tc_erfcinv",
    """static inline double tc_erfcinv(double q) {
  if (!(q > 0.0 && q < 2.0)) return q == 0.0 ? INFINITY : q == 2.0 ? -INFINITY : NAN;
  if (q <= 0.5) return tc_erfcinv_small(q);
  if (q >= 1.5) return -tc_erfcinv_small(2.0 - q);
  return tc_erfinv(1.0 - q);
}""",
    needs=(ERFINV,),
)

_GAMMA_PREFIX = Helper(
    "tc_gamma_prefix",
    """static inline double tc_gamma_prefix(double a, double x) {
  /* x^a exp(-x) / gamma(a + 1), without overflow and with little cancellation */
  if (a < 10.0) return exp(a * log(x) - x) / tgamma(a + 1.0);
  double m = (x - a) / a, d = fabs(m) < 0.3 ? 0 : log(x / a) - m;
  if (fabs(m) < 0.3) {
    /* log1p(m) - m by its series in m / (2 + m) */
    double u = m / (2.0 + m), u2 = u * u, s = 0;
    for (int k = 35; k >= 3; k -= 2) s = s * u2 + 1.0 / k;
    d = 2.0 * u * u2 * s - m * u;
  }
  double r = 1.0 / (a * a);
  double stirling = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680)))) / a;
  return exp(a * d - stirling) / sqrt(6.28318530717958647693 * a);
}""",
)

_GAMMA_SERIES = Helper(
    "tc_gamma_series",
    """static inline double tc_gamma_series(double a, double x) {
  /* lower part: prefix times 1 + x/(a+1) + x^2/((a+1)(a+2)) + ... */
  double term = 1, sum = 1, n = a;
  for (int i = 0; i < 100000; ++i) {
    n += 1.0;
    term *= x / n;
    sum += term;
    if (term <= sum * 1e-17) break;
  }
  return sum * tc_gamma_prefix(a, x);
}""",
    needs=(_GAMMA_PREFIX,),
)

_GAMMA_FRACTION = Helper(
    "tc_gamma_fraction",
    """static inline double tc_gamma_fraction(double a, double x) {
  /* upper part: prefix times a times a continued fraction */
  double b = x + 1.0 - a, c = 1e300, d = 1.0 / b, h = d;
  for (int i = 1; i < 100000; ++i) {
    double an = -i * (i - a);
    b += 2.0;
    d = an * d + b;
    if (fabs(d) < 1e-300) d = 1e-300;
    c = b + an / c;
    if (fabs(c) < 1e-300) c = 1e-300;
    d = 1.0 / d;
    double delta = d * c;
    h *= delta;
    if (fabs(delta - 1.0) < 1e-16) break;
  }
  return h * a * tc_gamma_prefix(a, x);
}""",
    needs=(_GAMMA_PREFIX,),
)

_GAMMA_SMALL_UPPER = Helper(
    "tc_gamma_small_upper",
    """static inline double tc_gamma_small_upper(double a, double x) {
  /* 1 - P for small x and a, where P is near 1: -expm1(log of x^a / gamma(a+1)) plus the rest of the series */
  double head = a * log(x) - tc_gammaln(a + 1.0), term = 1, sum = 0, n = 0;
  for (int i = 1; i < 1000; ++i) {
    n += 1.0;
    term *= -x / n;
    double part = term / (a + n);
    sum += part;
    if (fabs(part) <= fabs(sum) * 1e-17) break;
  }
  return -expm1(head) - exp(head) * a * sum;
}""",
    needs=(GAMMALN,),
)


_GAMMA_LARGE = Helper(
    "tc_gamma_large",
    """static inline double tc_gamma_large(double a, double x, int upper) {
  /* Temme's uniform expansion in 1/a around x = a, two terms: for a > 1e5, where nothing else is near 1e-13 */
  static const double c0[] = {-1.0 / 3, 1.0 / 12, -2.0 / 135, 1.0 / 864, 1.0 / 2835, -139.0 / 777600, 1.0 / 25515,
                              -571.0 / 261273600};
  static const double c1[] = {-1.0 / 540, -1.0 / 288, 1.0 / 378, -0.000990226337448559671};
  double m = (x - a) / a;
  if (fabs(m) > 0.3) return (m > 0) == (upper != 0) ? 0.0 : 1.0;
  double u = m / (2.0 + m), u2 = u * u, s = 0;
  for (int k = 35; k >= 3; k -= 2) s = s * u2 + 1.0 / k;
  double half_square = m * u - 2.0 * u * u2 * s; /* m - log1p(m) */
  double eta = copysign(sqrt(2.0 * half_square), m), s0 = 0, s1 = 0;
  for (int k = 7; k >= 0; --k) s0 = s0 * eta + c0[k];
  for (int k = 3; k >= 0; --k) s1 = s1 * eta + c1[k];
  double rest = exp(-a * half_square) / sqrt(6.28318530717958647693 * a) * (s0 + s1 / a);
  double y = eta * sqrt(0.5 * a);
  return upper ? 0.5 * erfc(y) + rest : 0.5 * erfc(-y) - rest;
}""",
)


def _incomplete(name: str, at_zero: str, at_infinity: str, series: str, fraction: str) -> Helper:
    """One regularised incomplete gamma function, choosing between series and continued fraction."""
    upper_small = "  if (x < 1.5 && a < 1.0) return tc_gamma_small_upper(a, x);\n" if name == "tc_gammaincc" else ""
    return Helper(
        name,
        f"""static inline double {name}(double a, double x) {{
  if (isnan(a) || isnan(x) || a < 0 || x < 0) return NAN;
  if (a == 0) return x > 0 ? {at_infinity} : NAN;
  if (x == 0) return {at_zero};
  if (isinf(a)) return isinf(x) ? NAN : {at_zero};
  if (isinf(x)) return {at_infinity};
  if (a > 1e5) return tc_gamma_large(a, x, {int(name == "tc_gammaincc")});
{upper_small}  if (x < a + 1.0) return {series};
  return {fraction};
}}""",
        needs=(_GAMMA_SERIES, _GAMMA_FRACTION, _GAMMA_SMALL_UPPER, _GAMMA_LARGE),
    )


GAMMAINC = _incomplete(
    "tc_gammainc", "0.0", "1.0", "tc_gamma_series(a, x)", "1.0 - tc_gamma_fraction(a, x)"
)
GAMMAINCC = _incomplete(
    "tc_gammaincc", "1.0", "0.0", "1.0 - tc_gamma_series(a, x)", "tc_gamma_fraction(a, x)"
)

CHI2SF = Helper(
    "tc_chi2sf",
    "static inline double tc_chi2sf(double x, double k) { return tc_gammaincc(0.5 * k, x > 0 ? 0.5 * x : x != x ? x : 0.0); }",
    needs=(GAMMAINCC,),
)

GAMMAU = Helper(
    "tc_gammau",
    "static inline double tc_gammau(double k, double x) { return tc_gammaincc(k, x) * tc_gamma(k); }",
    needs=(GAMMAINCC, GAMMA),
)

GAMMAL = Helper(
    "tc_gammal",
    "static inline double tc_gammal(double k, double x) { return tc_gammainc(k, x) * tc_gamma(k); }",
    needs=(GAMMAINC, GAMMA),
)


def _modified_bessel(order: int) -> Helper:
    """Modified Bessel function of the first kind of order 0 or 1."""
    first = "1.0" if order == 0 else "0.5 * a"
    return Helper(
        f"tc_i{order}",
        f"""static inline double tc_i{order}(double x) {{
  double a = fabs(x), value;
  if (a <= 30.0) {{
    double q = 0.25 * a * a, term = {first};
    value = term;
    for (int k = 1; k < 200; ++k) {{
      term *= q / ((double)k * (k + {order}));
      value += term;
      if (term <= value * 1e-17) break;
    }}
  }} else if (isinf(a)) {{
    value = a;
  }} else {{
    double mu = {4 * order * order}.0, term = 1, sum = 1;
    for (int k = 1; k < 60; ++k) {{
      double odd = 2 * k - 1, next = -term * (mu - odd * odd) / (8.0 * k * a);
      if (fabs(next) >= fabs(term) || fabs(next) < 1e-18) break;
      term = next;
      sum += term;
    }}
    double half = exp(0.5 * a);
    value = half * (sum / sqrt(6.28318530717958647693 * a)) * half;
  }}
  return {"x < 0 ? -value : value" if order else "value"};
}}""",
    )


I0 = _modified_bessel(0)
I1 = _modified_bessel(1)
