export default {
  "login.button": "Log in",
  "login.empty_name": "Enter the user name",
  "login.empty_password": "Enter the password",
  "login.name": "User name",
  "login.password": "Password",
  "login.red_switch": "To stop a robot at once: press the red switch on the machine.",
  "login.title": "Log in",
  "login.why": "Log in to see what to pick today.",
};
