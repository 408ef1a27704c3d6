/* Any bytes as a data card: a card that keeps its promises, or a one-line message. Parsing opens no
 * file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/data_card.h"
#include "fuzz.h"

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bsr_card *card;
    bsr_status status = bsr_card_parse(&card, data, size, "card.yaml");
    require((status == BSR_OK) == (card != NULL));
    if (!card) {
        const char *message = bsr_error_message();
        require(status < 0 && *message && !strpbrk(message, "\r\n"));
        return 0;
    }
    require(card->data != NULL);
    require(card->mean_count <= 3 && card->std_count <= 3);
    require(!card->mean_count == !card->mean && !card->std_count == !card->std);
    require(card->order >= BSR_ORDER_DEFAULT && card->order <= BSR_ORDER_BGR);
    require(card->class_offset == BSR_CLASS_OFFSET_DEFAULT ||
            abs(card->class_offset) <= BSR_MAX_CARD_NUMBER);
    require(card->resize >= 0 && card->resize <= BSR_MAX_CARD_NUMBER);
    require(card->crop >= 0 && card->crop <= BSR_MAX_CARD_NUMBER);
    bsr_card_free(card);
    return 0;
}
