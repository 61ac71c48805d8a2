/** From the server's description of a question (vite.config.ts): the most characters one may have. */
declare const LONGEST_QUESTION: number;
