export default {
  "morning.title": "Today",
};
