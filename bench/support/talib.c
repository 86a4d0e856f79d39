// Times functions of TA-Lib over the columns of a file and prints one line for each:
// its name, CPU nanoseconds a bar, sum of the last 1,000 values of its first output.
// talib BARS FILE   The file holds open, high, low, close, volume as doubles, column by column.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "ta_func.h"
#include "ta_common.h"

enum { SUMMED = 1000 };
static const double SHORTEST_TURN = 0.04;

static int bars, begin, count;
static double *open_, *high, *low, *close_, *volume, *a, *b, *c, *d, *e;

static double cpu(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

typedef TA_RetCode (*Work)(void);
#define FUNCTION(name, call) static TA_RetCode name(void) { return call; }
#define SPAN 0, bars - 1
#define OUT &begin, &count

FUNCTION(sma, TA_SMA(SPAN, close_, 20, OUT, a))
FUNCTION(ema, TA_EMA(SPAN, close_, 20, OUT, a))
FUNCTION(wma, TA_WMA(SPAN, close_, 20, OUT, a))
FUNCTION(dema, TA_DEMA(SPAN, close_, 20, OUT, a))
FUNCTION(tema, TA_TEMA(SPAN, close_, 20, OUT, a))
FUNCTION(trix, TA_TRIX(SPAN, close_, 15, OUT, a))
FUNCTION(rsi, TA_RSI(SPAN, close_, 14, OUT, a))
FUNCTION(macd, TA_MACD(SPAN, close_, 12, 26, 9, OUT, a, b, c))
FUNCTION(roc, TA_ROC(SPAN, close_, 10, OUT, a))
FUNCTION(mom, TA_MOM(SPAN, close_, 10, OUT, a))
FUNCTION(stoch, TA_STOCH(SPAN, high, low, close_, 14, 3, TA_MAType_SMA, 3, TA_MAType_SMA, OUT, a, b))
FUNCTION(stochrsi, TA_STOCHRSI(SPAN, close_, 14, 14, 1, TA_MAType_SMA, OUT, a, b))
FUNCTION(willr, TA_WILLR(SPAN, high, low, close_, 14, OUT, a))
FUNCTION(cci, TA_CCI(SPAN, high, low, close_, 20, OUT, a))
FUNCTION(ultosc, TA_ULTOSC(SPAN, high, low, close_, 7, 14, 28, OUT, a))
FUNCTION(adx, TA_ADX(SPAN, high, low, close_, 14, OUT, a))
FUNCTION(dx, TA_DX(SPAN, high, low, close_, 14, OUT, a))
FUNCTION(plus_di, TA_PLUS_DI(SPAN, high, low, close_, 14, OUT, a))
FUNCTION(minus_di, TA_MINUS_DI(SPAN, high, low, close_, 14, OUT, a))
FUNCTION(aroon, TA_AROON(SPAN, high, low, 14, OUT, b, a))
FUNCTION(aroonosc, TA_AROONOSC(SPAN, high, low, 14, OUT, a))
FUNCTION(sar, TA_SAR(SPAN, high, low, 0.02, 0.2, OUT, a))
FUNCTION(linreg, TA_LINEARREG(SPAN, close_, 20, OUT, a))
FUNCTION(slope, TA_LINEARREG_SLOPE(SPAN, close_, 20, OUT, a))
FUNCTION(max, TA_MAX(SPAN, close_, 20, OUT, a))
FUNCTION(min, TA_MIN(SPAN, close_, 20, OUT, a))
FUNCTION(bbands, TA_BBANDS(SPAN, close_, 20, 2, 2, TA_MAType_SMA, OUT, a, b, c))
FUNCTION(stddev, TA_STDDEV(SPAN, close_, 20, 1, OUT, a))
FUNCTION(tr, TA_TRANGE(SPAN, high, low, close_, OUT, a))
FUNCTION(atr, TA_ATR(SPAN, high, low, close_, 14, OUT, a))
FUNCTION(natr, TA_NATR(SPAN, high, low, close_, 14, OUT, a))
FUNCTION(obv, TA_OBV(SPAN, close_, volume, OUT, a))
FUNCTION(mfi, TA_MFI(SPAN, high, low, close_, volume, 14, OUT, a))

/* Not of TA-Lib: what our kernel gives beside the three bands, out of what BBANDS left behind. */
static TA_RetCode within(void) {
  const double *x = close_ + begin;
  for (int i = 0; i < count; i++) {
    double wide = a[i] - c[i];
    d[i] = (x[i] - c[i]) / wide;
    e[i] = wide / b[i];
  }
  return TA_SUCCESS;
}

static const struct {
  const char *name;
  Work work;
} FUNCTIONS[] = {
    {"SMA", sma},         {"EMA", ema},           {"WMA", wma},         {"DEMA", dema},
    {"TEMA", tema},       {"TRIX", trix},         {"RSI", rsi},         {"MACD", macd},
    {"ROC", roc},         {"MOM", mom},           {"STOCH", stoch},     {"STOCHRSI", stochrsi},
    {"WILLR", willr},     {"CCI", cci},           {"ULTOSC", ultosc},   {"ADX", adx},
    {"DX", dx},           {"PLUS_DI", plus_di},   {"MINUS_DI", minus_di}, {"AROON", aroon},
    {"AROONOSC", aroonosc}, {"SAR", sar},         {"LINEARREG", linreg}, {"LINEARREG_SLOPE", slope},
    {"MAX", max},         {"MIN", min},           {"BBANDS", bbands},   {"PCTB_WIDTH", within},
    {"STDDEV", stddev},   {"TRANGE", tr},         {"ATR", atr},         {"NATR", natr},
    {"OBV", obv},         {"MFI", mfi},
};

static int measure(const char *name, Work work) {
  long done = 0;
  double seconds, from = cpu();
  do {
    if (work() != TA_SUCCESS) {
      fprintf(stderr, "%s failed\n", name);
      return 1;
    }
    done += bars;
    seconds = cpu() - from;
  } while (seconds < SHORTEST_TURN);
  double sum = 0;
  for (int i = count - SUMMED; i < count; i++) sum += a[i];
  printf("%s %.4f %.17g\n", name, seconds * 1e9 / done, sum);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  bars = atoi(argv[1]);
  size_t size = (size_t)bars * sizeof(double);
  double *columns = malloc(5 * size);
  a = malloc(size);
  b = malloc(size);
  c = malloc(size);
  d = malloc(size);
  e = malloc(size);
  FILE *file = fopen(argv[2], "rb");
  if (columns == NULL || a == NULL || b == NULL || c == NULL || d == NULL || e == NULL || file == NULL) return 1;
  if (fread(columns, size, 5, file) != 5) return 1;
  open_ = columns;
  high = open_ + bars;
  low = high + bars;
  close_ = low + bars;
  volume = close_ + bars;
  if (TA_Initialize() != TA_SUCCESS) return 1;
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++)
    if (measure(FUNCTIONS[i].name, FUNCTIONS[i].work) != 0) return 1;
  return 0;
}
