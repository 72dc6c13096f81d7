/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small_main.c: the program unet3d_small. */
#include "unet3d_small.h"
#include "runtime/program/program.h"

int main(int argc, char **argv) {
    return vox_program_main(argc, argv, unet3d_small_get_info());
}
