#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"

static void hash(const void *data, size_t n, char hex[65])
{
    bsr_sha256 h;
    bsr_sha256_init(&h);
    bsr_sha256_update(&h, data, n);
    bsr_sha256_final(&h, hex);
}

/* NIST's example values for SHA-256 (FIPS 180-2, appendix B, and the SHAVS empty message). */
static void test_base_sha256__nist_vectors(void **state)
{
    static const struct {
        const char *message, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[65];
        hash(cases[i].message, strlen(cases[i].message), hex);
        assert_string_equal(hex, cases[i].digest);
    }
}

/* The million 'a' of FIPS 180-2, B.3, in pieces of every length around a block. */
static void test_base_sha256__pieces(void **state)
{
    static const char digest[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    char a[200], hex[65];
    memset(a, 'a', sizeof a);
    for (size_t piece = 1; piece <= sizeof a; piece += piece < 62 || piece > 66 ? 7 : 1) {
        bsr_sha256 h;
        bsr_sha256_init(&h);
        for (size_t left = 1000000, n; left; left -= n) {
            n = left < piece ? left : piece;
            bsr_sha256_update(&h, a, n);
        }
        bsr_sha256_final(&h, hex);
        assert_string_equal(hex, digest);
    }
}

/* Messages that leave 8, 9 and 0 bytes for the padding; digests from sha256sum. */
static void test_base_sha256__padding(void **state)
{
    static const struct {
        size_t n;
        const char *digest;
    } cases[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
    };
    char a[64], hex[65];
    memset(a, 'a', sizeof a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hash(a, cases[i].n, hex);
        assert_string_equal(hex, cases[i].digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_sha256__nist_vectors),
        cmocka_unit_test(test_base_sha256__pieces),
        cmocka_unit_test(test_base_sha256__padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
