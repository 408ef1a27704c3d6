// Times the forward pass of one ONNX model in ONNX Runtime (CPU): the peer that the benchmark
// compares bitseer's golden run with. Prints one line of JSON; times are wall-clock milliseconds
// of one whole batch, after a warm-up. Install the peer first: `npm ci` in this directory.
//
// Exit codes: 0 measured, 1 the model cannot be loaded or run, 2 wrong usage.

import { basename } from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `usage: node ort_forward.mjs MODEL.onnx [options]
  --batch B      images per forward pass (default 1)
  --threads T    threads inside one operator (default 1)
  --runs R       timed forward passes (default 30)
  --seconds S    stop early once the timed passes took S seconds (default: no limit)
  --shape D,D,.. input shape without the batch axis (default: the one the model declares)`;

const WARMUP_RUNS = 3;
const SEED = 0x2545f491;

class UsageError extends Error {}

function positive(name, text, isValid = Number.isSafeInteger) {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!isValid(value) || value <= 0) {
    throw new UsageError(`${name}: '${text}' is not a positive number`);
  }
  return value;
}

function readOptions(argv) {
  const option = (value) => ({ type: 'string', default: value });
  const options = { batch: option('1'), threads: option('1'), runs: option('30'),
    seconds: option('Infinity'), shape: { type: 'string' } };
  let parsed;
  try {
    parsed = parseArgs({ args: argv, allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (positionals.length !== 1) {
    throw new UsageError(`expected one model, got ${positionals.length}`);
  }
  return {
    model: positionals[0],
    batch: positive('--batch', values.batch),
    threads: positive('--threads', values.threads),
    runs: positive('--runs', values.runs),
    seconds: positive('--seconds', values.seconds, (s) => !Number.isNaN(s)),
    shape: values.shape?.split(',').map((d) => positive('--shape', d)),
  };
}

// Uniform in [-1, 1), the same values in every process (xorshift32).
function pseudoRandom(count) {
  const data = new Float32Array(count);
  let state = SEED;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = state / 0x80000000;
  }
  return data;
}

function makeFeeds(ort, session, { batch, shape }) {
  const inputs = session.inputMetadata;
  if (inputs.length !== 1 || inputs[0].type !== 'float32') {
    const found = inputs.map((input) => `'${input.name}' (${input.type})`).join(', ');
    throw new Error(`expected one float32 input, found ${found}`);
  }
  const dims = [batch, ...(shape ?? inputs[0].shape.slice(1))];
  if (!dims.every(Number.isInteger)) {
    throw new Error(`input '${inputs[0].name}' has open dimensions [${dims}], give --shape`);
  }
  const data = pseudoRandom(dims.reduce((product, d) => product * d, 1));
  return { [inputs[0].name]: new ort.Tensor('float32', data, dims) };
}

async function measure({ model, batch, threads, runs, seconds, shape }) {
  const { default: ort } = await import('onnxruntime-node').catch((error) => {
    throw new Error(`onnxruntime-node is not usable, run 'npm ci' here first (${error.message})`);
  });
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds = makeFeeds(ort, session, { batch, shape });
  for (let i = 0; i < WARMUP_RUNS; i++) await session.run(feeds);

  const times = [];
  for (let total = 0; times.length < runs && total < seconds * 1000; total += times.at(-1)) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const median = (times[(times.length - 1) >> 1] + times[times.length >> 1]) / 2;
  const round = (ms) => Number(ms.toFixed(4));
  return { peer: 'onnxruntime', version: ort.env.versions.node, model: basename(model), batch,
    threads, median_ms: round(median), min_ms: round(times[0]), runs: times.length };
}

let model;
try {
  const options = readOptions(process.argv.slice(2));
  model = options.model;
  console.log(JSON.stringify(await measure(options)));
} catch (error) {
  const wrongUsage = error instanceof UsageError;
  const line = error.message.replace(/\s*\n\s*/g, '; ');
  console.error(`ort_forward: ${wrongUsage ? `${line}\n${USAGE}` : `${model}: ${line}`}`);
  process.exitCode = wrongUsage ? 2 : 1;
}
