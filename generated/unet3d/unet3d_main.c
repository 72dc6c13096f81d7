/* SPDX-License-Identifier: MIT-0 */
/* unet3d_main.c: the program unet3d. */
#include "unet3d.h"
#include "runtime/program/program.h"

int main(int argc, char **argv) {
    return vox_program_main(argc, argv, unet3d_get_info());
}
