/** The page as it is sent: headings, tables and their captions. What changes is put in by its script. */
export const PAGE_HTML: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hauberk: the mesh on this machine</title>
<link rel="stylesheet" href="/page.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<script type="module" src="/page.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>Hauberk</h1>
<p id="state" role="status">Asking the mesh</p>
</header>
<main id="main" tabindex="-1">
<section aria-labelledby="services-title">
<h2 id="services-title">Services</h2>
<p class="hint">Who called whom in the last <span id="window">15</span> minutes, and how much of it was mutual TLS. A bar across a dotted line: nothing got through.</p>
<div class="scroll" role="region" aria-label="Graph of services" tabindex="0" id="graph"></div>
<div class="scroll" role="region" aria-label="Calls between services" tabindex="0">
<table id="edges">
<caption>The same as text: calls between services</caption>
<thead><tr><th scope="col">Caller</th><th scope="col">Called</th><th scope="col">Mutual TLS</th><th scope="col" class="figure">Calls</th><th scope="col" class="figure">In plaintext</th><th scope="col" class="figure">Refused</th></tr></thead>
<tbody></tbody>
</table>
</div>
</section>
<section aria-labelledby="denials-title">
<h2 id="denials-title">Recent denials</h2>
<p class="hint">What was refused, the newest first. Open one to read why.</p>
<div id="denials"></div>
</section>
<section aria-labelledby="workloads-title">
<h2 id="workloads-title">Workloads</h2>
<ul id="troubles" class="troubles" aria-label="Troubles" hidden></ul>
<div class="scroll" role="region" aria-label="Workloads and their certificates" tabindex="0">
<table id="workloads">
<caption>Pods, what they prove, how long for, and what they demand</caption>
<thead><tr><th scope="col">Pod</th><th scope="col">Kind</th><th scope="col">Identity</th><th scope="col">Certificate ends in</th><th scope="col">Ports and modes</th></tr></thead>
<tbody></tbody>
</table>
</div>
</section>
</main>
<noscript><p>This page asks the mesh by a script. Without one, <code>hauberk status</code> and <code>hauberk logs --denied</code> tell the same.</p></noscript>
</body>
</html>
`;

/** A ring of mail. */
export const PAGE_ICON: string = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="6" cy="8" r="4" fill="none" stroke="#17663f" stroke-width="2"/><circle cx="10" cy="8" r="4" fill="none" stroke="#8a9a92" stroke-width="2"/></svg>`;
