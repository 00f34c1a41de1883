import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

/**
 * One file: ComfyUI imports every .js below the web directory as an extension, so chunks would be run as such.
 * Only the host's two script shims stay outside; Vue is bundled because the host no longer shares its own.
 * Not minified: users and reviewers can read what runs in their browser.
 */
export default defineConfig({
  plugins: [vue()],
  define: {
    "process.env.NODE_ENV": JSON.stringify("production"),
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  build: {
    target: "es2022",
    minify: false,
    lib: { entry: "src/main.ts", formats: ["es"], fileName: () => "echotorrent.js" },
    rolldownOptions: { external: ["/scripts/app.js", "/scripts/api.js"] },
  },
  test: { include: ["tests/**/*.test.ts"] },
});
