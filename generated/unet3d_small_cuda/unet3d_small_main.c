/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small_main.c: the program unet3d_small. */
#include "unet3d_small_cuda.h"
#include "runtime/cuda/vox_cuda_program.h"
#include "runtime/program/program.h"

int main(int argc, char **argv) {
    const vox_backend backends[] = {
        vox_cuda_backend(unet3d_small_cuda_get_model()),
    };
    return vox_program_run(argc, argv, backends, sizeof backends / sizeof *backends);
}
