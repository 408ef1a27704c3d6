/* Status codes and the error message of the last failed call. */
#ifndef BITSEER_STATUS_H
#define BITSEER_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BSR_PUBLIC            __attribute__((visibility("default")))
#define BSR_NODISCARD         __attribute__((warn_unused_result))
#define BSR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define BSR_PUBLIC
#define BSR_NODISCARD
#define BSR_PRINTF(fmt, args)
#endif

/* What a call that can fail returns. Codes are grouped by what the caller can do about them and
 * their values are pinned. NaN and Inf in tensors are data, never an error. */
typedef enum bsr_status {
    BSR_OK = 0,
    BSR_ENOMEM = -1,       /* out of memory, or an allocation of an impossible size */
    BSR_EINVAL = -2,       /* an argument or option is wrong: change the call */
    BSR_EIO = -3,          /* the operating system refused a read or write */
    BSR_EFORMAT = -4,      /* a file is not what it claims to be */
    BSR_EUNSUPPORTED = -5, /* valid, but bitseer does not do it */
    BSR_ENOTFOUND = -6,    /* a named layer, tensor, file or key does not exist */
    BSR_ELIMIT = -7,       /* a stated limit (size, depth, memory) is exceeded */
    BSR_ECANCELLED = -8,   /* the caller's progress callback or a signal asked to stop */
} bsr_status;

/* One line that names the object and the values, e.g.
 * "node 'conv3' (Conv): pads has 3 values, expected 4". Valid until the next failing call of this
 * thread; "" when nothing failed yet. Thread-local, never NULL. */
BSR_PUBLIC const char *bsr_error_message(void);

/* The status code's name, e.g. "EFORMAT"; "?" for an unknown code. Static storage. */
BSR_PUBLIC const char *bsr_status_name(bsr_status status);

/* The library's version, e.g. "0.1.0". Static storage. */
BSR_PUBLIC const char *bsr_version(void);

#ifdef __cplusplus
}
#endif
#endif
