/* fatbin.h: the PTX in what nvcc embeds. */
#ifndef SIM_FATBIN_H
#define SIM_FATBIN_H

/* From the structure that a program hands to __cudaRegisterFatBinary: the PTX, of the versions there, that
 * suits compute capability major.minor best (the highest not above it, otherwise the lowest), as a string to
 * free; NULL where there is none. Dies on a format that it does not know. */
char *sim_fatbin_ptx(const void *wrapper, int major, int minor);

#endif
