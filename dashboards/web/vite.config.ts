import { defineConfig } from "vite";

export default defineConfig({
  // Go embeds the folder; what holds it in an unbuilt checkout stays.
  build: {
    outDir: "dist",
    emptyOutDir: false,
    assetsInlineLimit: 0, // a data: address would break the page's CSP
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/v1": process.env.ROLLCALL ?? "http://127.0.0.1:8080", "/healthz": process.env.ROLLCALL ?? "http://127.0.0.1:8080" } },
});
