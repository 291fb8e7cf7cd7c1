export default {
  "login.button": "登录",
  "login.empty_name": "写上用户名",
  "login.empty_password": "写上密码",
  "login.name": "用户名",
  "login.password": "密码",
  "login.red_switch": "要机器人马上停：按机身上的红色急停开关。",
  "login.title": "登录",
  "login.why": "登录后看今天采什么。",
};
