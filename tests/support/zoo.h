/* The networks that tests run on: the demo network of this repository, on Debian's Fashion-MNIST,
 * and pretrained ones in the folder that the environment variable BITSEER_DATA names. */
#ifndef TESTS_SUPPORT_ZOO_H
#define TESTS_SUPPORT_ZOO_H

#include "bitseer/dataset.h"
#include "bitseer/model.h"

typedef struct zoo_network {
    const char *name; /* model file without .onnx */
    const char *data; /* '@' stands for the folder of BITSEER_DATA; NULL: no images */
    double mean, std; /* of all channels, used where std is not 0 */
    double rgb_mean[3], rgb_std[3];
    int class_offset;
} zoo_network;

/* The demo comes first; ends with a row whose name is NULL. */
extern const zoo_network zoo_networks[];

/* Row by name; exits with a message when there is none. */
const zoo_network *zoo_find(const char *name);

/* Are the model and its images on this machine? */
int zoo_exists(const zoo_network *net);

/* "FOLDER/SUB/NAME" in the folder of BITSEER_DATA, whose variable is set. Returns out. */
const char *zoo_path(char out[4096], const char *sub, const char *name);

/* Loads the model and, where `data` is not NULL and the network has images, those that `images`
 * selects (as in bsr_dataset_options). Exits with the library's message when it cannot. */
void zoo_open(const zoo_network *net, const char *images, bsr_model **model, bsr_dataset **data);

/* Ends the program with the library's message unless the status is BSR_OK. */
void zoo_check(bsr_status status, const char *what);

#endif
