/** What only our analyzers say: code, name, level and words, one message a line. */
export const OWN_MESSAGES: string = `
HBK0001 PlaceholderOne Warning placeholder
`;
