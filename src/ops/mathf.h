/* Elementary functions with the same bits on every processor: fixed sequences of IEEE double
 * operations, rounded once to float. The C library picks variants by processor. Results are within
 * 1 ulp of the true value; special values follow C99 Annex F. Thread-safe, O(1). */
#ifndef BSR_OPS_MATHF_H
#define BSR_OPS_MATHF_H

float bsr_expf(float x);
float bsr_logf(float x);
float bsr_tanhf(float x);
float bsr_erff(float x);
float bsr_powf(float x, float y);
float bsr_sigmoidf(float x);        /* 1 / (1 + e^-x) */
float bsr_softplusf(float x);       /* log(1 + e^x) */
double bsr_pow(double x, double y); /* relative error below 2^-40 */
double bsr_exp(double x);           /* within 2 ulp (double) */
double bsr_log(double x);           /* within 2 ulp (double) */

#endif
