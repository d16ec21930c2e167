/* Trains one run of the network on one core: forward and backward pass by hand, and AdamW.
 *
 * Why by hand: at width 128 a step of torch spends most of its time on moving activations through memory, one pass an
 * operation. Here a slice of rows runs through the whole network and back while it stays in the core's cache.
 *
 * Two kinds of matrix product: float32 (in vectors of whatever length the processor has), and bfloat16 inputs with float32
 * sums (on processors that have them in tiles, AMX, or in vectors, AVX512-BF16). Everything else is float32. Plain C with the vector extensions of gcc and
 * clang, and AVX-512 where it is at hand; nuclr/train/native.py compiles it on the machine that runs it.
 */
#include "adamw.h"
#include "network.h"

#ifdef HAVE_TILES
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Whether bfloat16 products can be had here: compiled in, and tiles granted by the system to this process. */
int nuclr_has_bf16(void) {
#if defined(HAVE_TILES)
    return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* XFEATURE_XTILEDATA */) == 0;
#elif defined(HAVE_BF16)
    return 1;
#else
    return 0;
#endif
}

static unsigned int enter(const Work *w) {
    unsigned int before = 0;
#if defined(__x86_64__)
    before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* moments of silent units fade into denormals, which a processor computes far slower */
#endif
#ifdef HAVE_TILES
    if (w->shape.bf16) {
        struct { uint8_t palette, start, unused[14]; uint16_t bytes[16]; uint8_t rows[16]; } tiles = {1, 0, {0}, {0}, {0}};
        for (int i = 0; i < 8; i++) tiles.bytes[i] = 64, tiles.rows[i] = 16;
        __asm__ volatile("" : : "r"(&tiles) : "memory");
        _tile_loadconfig(&tiles);
    }
#endif
    (void)w;
    return before;
}

static void leave(const Work *w, unsigned int before) {
#ifdef HAVE_TILES
    if (w->shape.bf16) _tile_release();
#endif
#if defined(__x86_64__)
    _mm_setcsr(before);
#endif
    (void)w, (void)before;
}

typedef struct {
    const int16_t *z, *n, *observable; /* tokens of every row */
    const float *target, *weight;
} Rows;

/* Tokens of a slice: the rows that `order` names (or, without an order, those from `first` on). Where fewer than SLICE are
 * left, the first stands in for the rest, which get no weight. */
static void pick(const Rows *rows, const int32_t *order, int first, int left, int16_t z[SLICE], int16_t n[SLICE], int16_t t[SLICE]) {
    for (int row = 0; row < SLICE; row++) {
        int at = row < left ? row : 0, from = order ? order[at] : first + at;
        z[row] = rows->z[from], n[row] = rows->n[from], t[row] = rows->observable[from];
    }
}

static inline float predicted(const Work *w, const float *parameters, int row, int observable) {
    Shape s = w->shape;
    Places at = w->at;
    float raw = dot(line(w, w->stream[s.depth], row), w->readout + (size_t)observable * s.width, s.width);
    return raw * (32.0f / s.width) + parameters[at.readout_bias + observable];
}

/* One slice forward and back; `left` rows of the batch are left in `order`. Returns the sum of its weighted squared errors. */
static double learn(Work *w, const float *parameters, float *g, const Rows *rows, const int32_t *order, int left, int batch,
                    int start) {
    Shape s = w->shape;
    Places at = w->at;
    int d = s.width;
    int16_t z[SLICE], n[SLICE], t[SLICE];
    const int16_t *tokens[3] = {z, n, t};
    double loss = 0;
    pick(rows, order, 0, left, z, n, t);
    forward(w, parameters, start, tokens, 1);
    float slope[SLICE] = {0}; /* all rows' first, and what they lead to after: a row then waits for no other's sum */
    for (int row = 0; row < SLICE && row < left; row++) {
        float error = predicted(w, parameters, row, t[row]) - rows->target[order[row]];
        float weight = rows->weight[order[row]];
        loss += (double)weight * error * error;
        slope[row] = 2.0f * weight * error / batch;
        g[at.readout_bias + t[row]] += slope[row];
    }
    for (int row = 0; row < SLICE; row++) {
        const float *x = line(w, w->stream[s.depth], row), *out = w->readout + (size_t)t[row] * d;
        float *restrict back = line(w, w->back, row), *restrict d_out = w->d_readout + (size_t)t[row] * d;
        float along = slope[row] * (32.0f / d);
        for (int j = 0; j < d; j++) {
            back[j] = along * out[j];
            d_out[j] += along * x[j];
        }
    }
    backward(w, g, start, tokens);
    return loss;
}

/* What is added to in every slice begins at zero; the gradients of the matrices are written by the first chunk. */
static void clear(Work *w, float *g) {
    Shape s = w->shape;
    Places at = w->at;
    size_t matrix = (size_t)s.width * s.width;
    for (int i = 0; i < 3; i++) memset(w->d_table[i].x, 0, 4l * w->height[i] * apart(s.width));
    memset(w->d_readout, 0, 4l * s.observables * s.width);
    memset(g + at.first_bias, 0, 4l * s.width);
    for (int half = 0; half < 2 * s.depth; half++)
        memset(g + at.block + half * (matrix + s.width) + matrix, 0, 4l * s.width);
    memset(g + at.readout_bias, 0, 4l * s.observables);
}

/* `count` steps of `batch` rows each: step i takes rows[order[i * batch ...]] at learning rate rates[i]. parameters, first
 * and second (moments) are flat and change in place; g is room for the gradient; the first step is number `done` + 1.
 * Returns the mean loss of the last step's batch. */
double nuclr_train(Work *w, float *parameters, float *g, float *first, float *second, const Rows *rows, const int32_t *order,
                   int32_t batch, int32_t count, int64_t done, const double *rates, double decay) {
    Shape s = w->shape;
    Places at = w->at;
    double loss = 0;
    unsigned int state = enter(w);
    for (int step = 0; step < count; step++, order += batch) {
        prepare(w, parameters, 1);
        clear(w, g);
        loss = 0;
        for (int start = 0; start < batch; start += CHUNK) {
            int height = 0;
            for (; height < CHUNK && start + height < batch; height += SLICE)
                loss += learn(w, parameters, g, rows, order + start + height, batch - start - height, batch, height);
            for (int b = 0; b < s.depth; b++) {
                float *inner = g + at.block + b * at.block_size, *outer = inner + (size_t)s.width * s.width + s.width;
                gradient(w, height, w->stream[b], w->in[b], inner, start > 0);
                gradient(w, height, w->middle[b], w->up[b], outer, start > 0);
            }
        }
        finish(w, g);
        update(w, rates[step], decay, done + step + 1, parameters, g, first, second);
    }
    leave(w, state);
    return loss / batch;
}

/* Predictions in min-max units for `count` rows. */
void nuclr_predict(Work *w, const float *parameters, const Rows *rows, int32_t count, float *out) {
    unsigned int state = enter(w);
    prepare(w, parameters, 0);
    for (int start = 0; start < count; start += SLICE) {
        int16_t z[SLICE], n[SLICE], t[SLICE];
        const int16_t *tokens[3] = {z, n, t};
        pick(rows, NULL, start, count - start, z, n, t);
        forward(w, parameters, 0, tokens, 0);
        for (int row = 0; row < SLICE && start + row < count; row++) out[start + row] = predicted(w, parameters, row, t[row]);
    }
    leave(w, state);
}
