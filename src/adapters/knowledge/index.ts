export { AlphaVantageNews, type AlphaVantageOptions, type NewsFetch } from './alpha-vantage.ts';
export { type AnswerFault, newsTime, parseNewsTime, readNewsAnswer } from './alpha-vantage-answer.ts';
export { type CallBudget, type CallGrant, CallLedger, FREE_BUDGET, type KeptNews } from './call-ledger.ts';
export type { NewsArticle } from './news-article.ts';
export { pageOf, withoutRepeats } from './same-story.ts';
