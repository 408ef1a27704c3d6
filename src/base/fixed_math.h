/* Elementary functions in double as fixed sequences of IEEE operations (+ - * /, fma, rint, frexp,
 * ldexp): the same bits on every machine, which the C library's do not promise. NaN gives NaN.
 * Thread-safe, O(1), no errors. */
#ifndef BSR_BASE_FIXED_MATH_H
#define BSR_BASE_FIXED_MATH_H

/* e^x within 2 ulp; 0 below -745.2, Inf above 709.78. */
double bsr_fixed_exp(double x);

/* Natural logarithm within 2 ulp; -Inf at 0, NaN below. */
double bsr_fixed_log(double x);

/* log(1 + x), relative error below 1e-15 for x > -1; -Inf at -1, NaN below. */
double bsr_fixed_log1p(double x);

/* e^x - 1, relative error below 1e-15; -1 at -Inf. */
double bsr_fixed_expm1(double x);

#endif
