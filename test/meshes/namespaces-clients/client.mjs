// One line for each URL: its status and the first line of its body, or why there is none.
for (const url of process.argv.slice(2)) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    console.log(response.status, (await response.text()).split("\n")[0]);
  } catch (error) {
    console.log("failed:", error.cause?.code ?? error.message);
  }
}
