//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// 24 bytes hold 32 ranks of six bits, the first lowest. A lane takes 12 of
// them: three bytes, which are four ranks, to each of its four words.
DATA spread<>+0x00(SB)/8, $0x8005040380020100
DATA spread<>+0x08(SB)/8, $0x800b0a0980080706
DATA spread<>+0x10(SB)/8, $0x8005040380020100
DATA spread<>+0x18(SB)/8, $0x800b0a0980080706
GLOBL spread<>(SB), RODATA|NOPTR, $32

// The place of each of the four ranks in its word, once it is there.
DATA masks<>+0x00(SB)/4, $0x0000003f
DATA masks<>+0x04(SB)/4, $0x00003f00
DATA masks<>+0x08(SB)/4, $0x003f0000
DATA masks<>+0x0c(SB)/4, $0x3f000000
GLOBL masks<>(SB), RODATA|NOPTR, $16

// MASKS fills Y8 to Y12 with what UNPACK needs.
#define MASKS \
	VMOVDQU spread<>(SB), Y8; \
	VPBROADCASTD masks<>+0x00(SB), Y9; \
	VPBROADCASTD masks<>+0x04(SB), Y10; \
	VPBROADCASTD masks<>+0x08(SB), Y11; \
	VPBROADCASTD masks<>+0x0c(SB), Y12

// UNPACK reads 32 ranks at SI into Y0, one a byte. It reads 28 bytes, and uses
// 24. Y1 to Y3 are spoilt.
#define UNPACK \
	VMOVDQU (SI), X0; \
	VINSERTI128 $1, 12(SI), Y0, Y0; \
	VPSHUFB Y8, Y0, Y0; \
	VPSLLD $2, Y0, Y1; \
	VPSLLD $4, Y0, Y2; \
	VPSLLD $6, Y0, Y3; \
	VPAND Y9, Y0, Y0; \
	VPAND Y10, Y1, Y1; \
	VPAND Y11, Y2, Y2; \
	VPAND Y12, Y3, Y3; \
	VPOR Y1, Y0, Y0; \
	VPOR Y3, Y2, Y2; \
	VPOR Y2, Y0, Y0

// HIGHEST gives AX the greatest byte of Y, whose lower half is X. X1 is spoilt.
#define HIGHEST(Y, X) \
	VEXTRACTI128 $1, Y, X1; \
	VPMAXUB X1, X, X; \
	VPSRLDQ $8, X, X1; \
	VPMAXUB X1, X, X; \
	VPSRLDQ $4, X, X1; \
	VPMAXUB X1, X, X; \
	VPSRLDQ $2, X, X1; \
	VPMAXUB X1, X, X; \
	VPSRLDQ $1, X, X1; \
	VPMAXUB X1, X, X; \
	VMOVD X, AX

// func raise64s(dst, src *byte, blocks int) (rose bool)
TEXT ·raise64s(SB), NOSPLIT, $0-25
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX
	VPXOR Y6, Y6, Y6 // what has changed
raise:
	VMOVDQU (DI), Y0
	VMOVDQU 32(DI), Y1
	VPMAXUB (SI), Y0, Y2
	VPMAXUB 32(SI), Y1, Y3
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, 32(DI)
	VPXOR Y0, Y2, Y2
	VPXOR Y1, Y3, Y3
	VPOR Y2, Y6, Y6
	VPOR Y3, Y6, Y6
	ADDQ $64, DI
	ADDQ $64, SI
	DECQ CX
	JNZ raise
	VPTEST Y6, Y6
	SETNE rose+24(FP)
	VZEROUPPER
	RET

// func raisePacked32s(regs, packed *byte, blocks int) (rose bool)
TEXT ·raisePacked32s(SB), NOSPLIT, $0-25
	MOVQ regs+0(FP), DI
	MOVQ packed+8(FP), SI
	MOVQ blocks+16(FP), CX
	MASKS
	VPCMPEQB Y7, Y7, Y7
raisePacked:
	UNPACK
	VMOVDQU (DI), Y4
	VPMAXUB Y4, Y0, Y0
	VPCMPEQB Y4, Y0, Y5
	VPAND Y5, Y7, Y7
	VMOVDQU Y0, (DI)
	ADDQ $32, DI
	ADDQ $24, SI
	DECQ CX
	JNZ raisePacked
	VPMOVMSKB Y7, AX
	CMPL AX, $-1
	SETNE rose+24(FP)
	VZEROUPPER
	RET

// func unpack32s(regs, packed *byte, blocks int)
TEXT ·unpack32s(SB), NOSPLIT, $0-24
	MOVQ regs+0(FP), DI
	MOVQ packed+8(FP), SI
	MOVQ blocks+16(FP), CX
	MASKS
unpack:
	UNPACK
	VMOVDQU Y0, (DI)
	ADDQ $32, DI
	ADDQ $24, SI
	DECQ CX
	JNZ unpack
	VZEROUPPER
	RET

// func sumPacked32s(packed *byte, blocks int) (sum uint64, top byte)
TEXT ·sumPacked32s(SB), NOSPLIT, $0-25
	MOVQ packed+0(FP), SI
	MOVQ blocks+8(FP), CX
	MASKS
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5 // four sums
	VPXOR Y6, Y6, Y6 // 32 highest
sumPacked:
	UNPACK
	VPMAXUB Y0, Y6, Y6
	VPSADBW Y4, Y0, Y0
	VPADDQ Y0, Y5, Y5
	ADDQ $24, SI
	DECQ CX
	JNZ sumPacked
	VEXTRACTI128 $1, Y5, X0
	VPADDQ X0, X5, X5
	VPSRLDQ $8, X5, X0
	VPADDQ X0, X5, X5
	VMOVQ X5, AX
	MOVQ AX, sum+16(FP)
	HIGHEST(Y6, X6)
	MOVB AX, top+24(FP)
	VZEROUPPER
	RET

// func top32s(regs *byte, blocks int) (top byte)
TEXT ·top32s(SB), NOSPLIT, $0-17
	MOVQ regs+0(FP), SI
	MOVQ blocks+8(FP), CX
	VPXOR Y0, Y0, Y0
top:
	VPMAXUB (SI), Y0, Y0
	ADDQ $32, SI
	DECQ CX
	JNZ top
	HIGHEST(Y0, X0)
	MOVB AX, top+16(FP)
	VZEROUPPER
	RET

// RAISE brings the rise at CX to the sketch whose first register is at R10, and goes on
// to the next; or to raised, where the sketch has no such register. BX, R11 and R12 are
// spoilt.
#define RAISE \
	MOVL (SI)(CX*4), BX; \
	MOVL BX, R11; \
	SHRL $8, R11; \
	CMPL R11, R14; \
	JHI raised; \
	MOVBLZX BL, BX; \
	MOVBLZX (R10)(R11*1), R12; \
	CMPL BX, R12; \
	CMOVLCS R12, BX; \
	MOVB BX, (R10)(R11*1); \
	INCQ CX

// func raiseBanked(first **byte, n int, numbers *int32, rises *Rise, many, last int) (done int)
TEXT ·raiseBanked(SB), NOSPLIT, $0-56
	MOVQ first+0(FP), DI
	MOVQ n+8(FP), R13
	MOVQ numbers+16(FP), DX
	MOVQ rises+24(FP), SI
	MOVQ many+32(FP), R9
	MOVQ last+40(FP), R14
	XORQ CX, CX
	MOVQ R9, R8
	SUBQ $const_ahead, R8
	JLE rest
more:
	MOVL (4*const_ahead)(DX)(CX*4), AX
	CMPQ AX, R13
	JAE rest // and there it ends
	MOVL (4*const_ahead)(SI)(CX*4), BX
	MOVQ (DI)(AX*8), R10
	SHRL $8, BX
	PREFETCHT0 (R10)(BX*1)
	MOVL (DX)(CX*4), AX
	CMPQ AX, R13
	JAE raised
	MOVQ (DI)(AX*8), R10
	RAISE
	CMPQ CX, R8
	JLT more
rest:
	MOVL (DX)(CX*4), AX
	CMPQ AX, R13
	JAE raised
	MOVQ (DI)(AX*8), R10
	RAISE
	CMPQ CX, R9
	JLT rest
raised:
	MOVQ CX, done+48(FP)
	RET

// func sum64s(regs *byte, blocks int) (sum uint32)
TEXT ·sum64s(SB), NOSPLIT, $0-20
	MOVQ regs+0(FP), SI
	MOVQ blocks+8(FP), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
sum:
	VPSADBW (SI), Y0, Y1
	VPSADBW 32(SI), Y0, Y4
	VPADDQ Y1, Y2, Y2
	VPADDQ Y4, Y3, Y3
	ADDQ $64, SI
	DECQ CX
	JNZ sum
	VPADDQ Y3, Y2, Y2
	VEXTRACTI128 $1, Y2, X1
	VPADDQ X1, X2, X2
	VPSRLDQ $8, X2, X1
	VPADDQ X1, X2, X2
	VMOVD X2, AX
	MOVL AX, sum+16(FP)
	VZEROUPPER
	RET

// SUM adds the sixteen-bit halves of what Y holds of a rank, at most 255 a
// byte, to the count at DI. Y14 is zero.
#define SUM(Y, X, at) \
	VPSADBW Y14, Y, Y; \
	VEXTRACTI128 $1, Y, X13; \
	VPADDQ X13, X, X; \
	VPSRLDQ $8, X, X13; \
	VPADDQ X13, X, X; \
	VMOVD X, AX; \
	ADDL AX, at(DI)

// func count32s(counts *[4]uint32, regs *byte, blocks int, first byte)
//
// Four ranks, from first on, in at most 255 blocks of 32 registers.
TEXT ·count32s(SB), NOSPLIT, $0-25
	MOVQ counts+0(FP), DI
	MOVQ regs+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVBLZX first+24(FP), AX
	VPXOR Y14, Y14, Y14
	VPCMPEQB Y13, Y13, Y13 // -1
	VMOVD AX, X4
	VPBROADCASTB X4, Y4
	VPSUBB Y13, Y4, Y5
	VPSUBB Y13, Y5, Y6
	VPSUBB Y13, Y6, Y7
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
count:
	VMOVDQU (SI), Y8
	VPCMPEQB Y8, Y4, Y9
	VPCMPEQB Y8, Y5, Y10
	VPCMPEQB Y8, Y6, Y11
	VPCMPEQB Y8, Y7, Y12
	VPSUBB Y9, Y0, Y0
	VPSUBB Y10, Y1, Y1
	VPSUBB Y11, Y2, Y2
	VPSUBB Y12, Y3, Y3
	ADDQ $32, SI
	DECQ CX
	JNZ count
	SUM(Y0, X0, 0)
	SUM(Y1, X1, 4)
	SUM(Y2, X2, 8)
	SUM(Y3, X3, 12)
	VZEROUPPER
	RET

DATA ids<>+0x00(SB)/8, $0xff51afd7ed558ccd // the factors of mix
DATA ids<>+0x08(SB)/8, $0xc4ceb9fe1a85ec53
DATA ids<>+0x10(SB)/8, $0x9e3779b97f4a7c15 // minuteStep
DATA ids<>+0x18(SB)/8, $0x4cf2d2baae6da887 // sqlSalt
DATA ids<>+0x20(SB)/4, $126
GLOBL ids<>(SB), RODATA|NOPTR, $36

// Four times 2^52, whose lowest bit is one; and a minute in units of 2^11 nanoseconds.
DATA two52<>+0x00(SB)/8, $0x4330000000000000
DATA two52<>+0x08(SB)/8, $0x4330000000000000
DATA two52<>+0x10(SB)/8, $0x4330000000000000
DATA two52<>+0x18(SB)/8, $0x4330000000000000
GLOBL two52<>(SB), RODATA|NOPTR, $32
DATA units<>+0x00(SB)/8, $0x417bf08eb0000000
DATA units<>+0x08(SB)/8, $0x417bf08eb0000000
DATA units<>+0x10(SB)/8, $0x417bf08eb0000000
DATA units<>+0x18(SB)/8, $0x417bf08eb0000000
GLOBL units<>(SB), RODATA|NOPTR, $32

// FACTORS fills Y8 to Y11 with what MIX needs: the factors, and their upper
// halves. It fills Y12 to Y15 with what RISES needs of the K that CX is: K, the
// greatest number of a register, 126 and no failure.
#define FACTORS \
	VPBROADCASTQ ids<>+0x00(SB), Y8; \
	VPSRLQ $32, Y8, Y9; \
	VPBROADCASTQ ids<>+0x08(SB), Y10; \
	VPSRLQ $32, Y10, Y11; \
	VMOVQ CX, X12; \
	MOVQ $1, AX; \
	SHLQ CX, AX; \
	DECQ AX; \
	VMOVQ AX, X13; \
	VPBROADCASTD X13, Y13; \
	VPBROADCASTD ids<>+0x20(SB), Y14; \
	VPXOR Y15, Y15, Y15

// TIMES multiplies four words of 64 bits in Y by those in F, whose upper halves H
// has. T and U are spoilt.
#define TIMES(Y, F, H, T, U) \
	VPSRLQ $32, Y, T; \
	VPMULUDQ H, Y, U; \
	VPMULUDQ F, T, T; \
	VPMULUDQ F, Y, Y; \
	VPADDQ U, T, T; \
	VPSLLQ $32, T, T; \
	VPADDQ T, Y, Y

#define FOLD33(Y, T) \
	VPSRLQ $33, Y, T; \
	VPXOR T, Y, Y

// MIX hashes the four words of Y. T and U are spoilt.
#define MIX(Y, T, U) \
	FOLD33(Y, T); \
	TIMES(Y, Y8, Y9, T, U); \
	FOLD33(Y, T); \
	TIMES(Y, Y10, Y11, T, U); \
	FOLD33(Y, T)

// RISES writes to DI what the eight hashes in Y0 and Y1 do. The rank is the
// exponent of the lowest bit that is set, of the 32 above the register's number;
// where none is, the sign bit of a word of Y15 is set. Y0 to Y4 are spoilt.
#define RISES \
	VSHUFPS $0x88, Y1, Y0, Y2; \
	VPSRLQ X12, Y0, Y0; \
	VPSRLQ X12, Y1, Y1; \
	VSHUFPS $0x88, Y1, Y0, Y3; \
	VPXOR Y4, Y4, Y4; \
	VPSUBD Y3, Y4, Y4; \
	VPAND Y4, Y3, Y3; \
	VCVTDQ2PS Y3, Y3; \
	VPSLLD $1, Y3, Y3; \
	VPSRLD $24, Y3, Y3; \
	VPSUBD Y14, Y3, Y3; \
	VPOR Y3, Y15, Y15; \
	VPAND Y13, Y2, Y2; \
	VPSLLD $8, Y2, Y2; \
	VPOR Y3, Y2, Y2; \
	VPERMQ $0xd8, Y2, Y2; \
	VMOVDQU Y2, (DI)

// func rises8s(dst *Rise, ids *uint64, blocks int, k uint64) (ok bool)
TEXT ·rises8s(SB), NOSPLIT, $0-33
	MOVQ dst+0(FP), DI
	MOVQ ids+8(FP), SI
	MOVQ blocks+16(FP), BX
	MOVQ k+24(FP), CX
	FACTORS
rises:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	MIX(Y0, Y2, Y3)
	MIX(Y1, Y4, Y5)
	RISES
	ADDQ $64, SI
	ADDQ $32, DI
	DECQ BX
	JNZ rises
	VMOVMSKPS Y15, AX
	TESTL AX, AX
	SETEQ ok+32(FP)
	VZEROUPPER
	RET

// MINUTES gives the lower halves of the words of T the minutes of four times at M. Of
// a time there are less than 2^52 units, so that it is a double with nothing lost; and
// no quotient is so near below a whole number that it is rounded up to it: it is less
// than 2^28, of which a double tells 2^-25, and lacks a unit's part of a minute, which
// is more.
#define MINUTES(M, T) \
	VMOVDQU M, T; \
	VPSRLQ $11, T, T; \
	VPOR two52<>(SB), T, T; \
	VSUBPD two52<>(SB), T, T; \
	VDIVPD units<>(SB), T, T; \
	VROUNDPD $3, T, T; \
	VADDPD two52<>(SB), T, T

// PAIR makes the ids of the pairs of four pseudonyms, in Y, and the minutes of the
// times at M. T and U are spoilt. Y6 and Y7 have minuteStep, and its upper half.
#define PAIR(Y, M, T, U) \
	VPBROADCASTQ ids<>+0x18(SB), T; \
	VPXOR T, Y, Y; \
	MIX(Y, T, U); \
	MINUTES(M, T); \
	VPMULUDQ Y7, T, U; \
	VPMULUDQ Y6, T, T; \
	VPSLLQ $32, U, U; \
	VPADDQ T, Y, Y; \
	VPADDQ U, Y, Y

// func pairRises8s(dst *Rise, vs *uint64, times *int64, blocks int, k uint64) (ok bool)
TEXT ·pairRises8s(SB), NOSPLIT, $0-41
	MOVQ dst+0(FP), DI
	MOVQ vs+8(FP), SI
	MOVQ times+16(FP), DX
	MOVQ blocks+24(FP), BX
	MOVQ k+32(FP), CX
	FACTORS
	VPBROADCASTQ ids<>+0x10(SB), Y6
	VPSRLQ $32, Y6, Y7
pairs:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	PAIR(Y0, (DX), Y2, Y3)
	PAIR(Y1, 32(DX), Y4, Y5)
	MIX(Y0, Y2, Y3)
	MIX(Y1, Y4, Y5)
	RISES
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $32, DI
	DECQ BX
	JNZ pairs
	VMOVMSKPS Y15, AX
	TESTL AX, AX
	SETEQ ok+40(FP)
	VZEROUPPER
	RET

// WIDE fills Z8 and Z9 with the factors of mix, and Z10 to Z13 with what RISES8 needs
// of the K that CX is: K, the greatest number of a register, the bit that ends the
// highest rank, and 64.
#define WIDE \
	VPBROADCASTQ ids<>+0x00(SB), Z8; \
	VPBROADCASTQ ids<>+0x08(SB), Z9; \
	VMOVQ CX, X10; \
	MOVQ $1, AX; \
	SHLQ CX, AX; \
	DECQ AX; \
	VPBROADCASTQ AX, Z11; \
	MOVQ $64, AX; \
	VPBROADCASTQ AX, Z13; \
	SUBQ CX, AX; \
	MOVQ AX, CX; \
	MOVQ $1, AX; \
	SHLQ CX, AX; \
	VPBROADCASTQ AX, Z12; \
	VPXORQ Z14, Z14, Z14

// MIX8 hashes the eight words of Z. T is spoilt.
#define MIX8(Z, T) \
	VPSRLQ $33, Z, T; \
	VPXORQ T, Z, Z; \
	VPMULLQ Z8, Z, Z; \
	VPSRLQ $33, Z, T; \
	VPXORQ T, Z, Z; \
	VPMULLQ Z9, Z, Z; \
	VPSRLQ $33, Z, T; \
	VPXORQ T, Z, Z

// RISES8 writes to DI what the eight hashes in Z0 do: 64 less the zeros before the
// lowest bit that is set above the register's number is the rank. Z0 to Z2 are spoilt.
#define RISES8 \
	VPSRLQ X10, Z0, Z1; \
	VPORQ Z12, Z1, Z1; \
	VPSUBQ Z1, Z14, Z2; \
	VPANDQ Z2, Z1, Z1; \
	VPLZCNTQ Z1, Z1; \
	VPSUBQ Z1, Z13, Z1; \
	VPANDQ Z11, Z0, Z0; \
	VPSLLQ $8, Z0, Z0; \
	VPORQ Z1, Z0, Z0; \
	VPMOVQD Z0, (DI)

// func rises8w(dst *Rise, ids *uint64, blocks int, k uint64)
TEXT ·rises8w(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ ids+8(FP), SI
	MOVQ blocks+16(FP), BX
	MOVQ k+24(FP), CX
	WIDE
risesWide:
	VMOVDQU64 (SI), Z0
	MIX8(Z0, Z1)
	RISES8
	ADDQ $64, SI
	ADDQ $32, DI
	DECQ BX
	JNZ risesWide
	VZEROUPPER
	RET

// func pairRises8w(dst *Rise, vs *uint64, times *int64, blocks int, k uint64)
TEXT ·pairRises8w(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ vs+8(FP), SI
	MOVQ times+16(FP), DX
	MOVQ blocks+24(FP), BX
	MOVQ k+32(FP), CX
	WIDE
	VPBROADCASTQ ids<>+0x10(SB), Z6
	VPBROADCASTQ ids<>+0x18(SB), Z7
	VPBROADCASTQ units<>(SB), Z5
pairsWide:
	VPXORQ (SI), Z7, Z0
	MIX8(Z0, Z1)
	VPSRLQ $11, (DX), Z1
	VCVTUQQ2PD Z1, Z1 // as MINUTES does
	VDIVPD Z5, Z1, Z1
	VCVTTPD2UQQ Z1, Z1
	VPMULLQ Z6, Z1, Z1
	VPADDQ Z1, Z0, Z0
	MIX8(Z0, Z1)
	RISES8
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $32, DI
	DECQ BX
	JNZ pairsWide
	VZEROUPPER
	RET
