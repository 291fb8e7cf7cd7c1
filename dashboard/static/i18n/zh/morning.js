export default {
  "morning.title": "今天",
};
