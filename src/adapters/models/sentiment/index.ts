export { CHECKSUM_FILE, checksumText, parseChecksums, sha256OfFile } from '../checksums.ts';
export { articleText, plainArticleText } from './article-text.ts';
export { LEXICON_VERSION } from './finance-lexicon.ts';
export { type FinbertFiles, readFinbertFiles } from './finbert-files.ts';
export { type FinbertOptions, FinbertScorer } from './finbert-scorer.ts';
export { LexiconScorer, lexiconScore } from './lexicon-scorer.ts';
export { loadOnnxRuntime } from './onnx-runtime.ts';
export { roundedScore, type SentimentScorer } from './sentiment-scorer.ts';
export {
  TOKENS_MOST,
  WordPiece,
  type WordPieceOptions,
  wordPieceOfTokenizer,
  wordPieceOfVocabulary,
} from './word-piece.ts';
