"""Chinese help of the commands for logins, users, keys and the tenant, and of the options of every command."""

from __future__ import annotations

ACCOUNT_ARGUMENTS = {
    "Phone numbers checked, lists imported, contacts found.": "校验电话号码，导入名单，查询联系人。",
    "usage: ": "用法：",
    "options": "选项",
    "positional arguments": "参数",
    "commands": "命令",
    "common options": "通用选项",
    "example:": "示例：",
    "examples:": "示例：",
    "show this help message and exit": "显示本帮助并退出",
    "address of the service (at login: 127.0.0.1:18001)": "服务地址（登录时默认为 127.0.0.1:18001）",
    "file with an API key or access token, in place of the login; - is standard input": (
        "存放 API 密钥或访问令牌的文件，代替登录；- 表示标准输入"
    ),
    "one JSON object a line, for programs": "每行输出一个 JSON 对象，供程序读取",
    "tables as CSV, for programs": "以 CSV 输出表格，供程序读取",
    "zh or en: language of messages, and of names that the service answers (default: by LANG, and en)": (
        "zh 或 en：提示信息以及服务返回的名称所用的语言（提示信息默认按 LANG，名称默认为 en）"
    ),
    "TLS (default: to other machines)": "使用 TLS（默认：连接其他机器时使用）",
    "certificate authorities to trust": "受信任的证书颁发机构",
    "certificate of this client, if the service requires one": "本客户端的证书（服务要求时）",
    "private key of that certificate": "该证书的私钥",
    "the version of the tool": "显示本工具的版本",
    "print a script by which a shell completes commands, options and values": (
        "输出补全脚本，让 shell 补全命令、选项和取值"
    ),
    'print a script by which a shell completes commands, options and values; in ~/.bashrc: eval "$(bossjy completion '
    'bash)"': '输出补全脚本，让 shell 补全命令、选项和取值；写入 ~/.bashrc：eval "$(bossjy completion bash)"',
    "the shell": "shell 的名称",
    "API keys for programs": "供程序使用的 API 密钥",
    "add a user; the first password must be changed at the first login": "添加用户；首次登录时必须修改初始密码",
    "change the tenant; only an owner may": "修改租户设置；仅所有者可用",
    "change your own password": "修改自己的密码",
    "days of validity (default: set by the service)": "有效天数（默认由服务决定）",
    "default: member": "默认：member",
    "delete the name, address and logins of a user; asks for the user again as confirmation": (
        "删除用户的姓名、邮箱和登录；需再次输入该用户以确认"
    ),
    "display name": "显示名称",
    "end a key": "吊销密钥",
    "end sessions; `bossjy logout --all` ends all of them": "结束会话；`bossjy logout --all` 结束全部会话",
    "end the session and delete it": "结束会话并删除本机凭据",
    "end the sessions and keys of a user and refuse logins": "结束用户的会话和密钥，并拒绝其登录",
    "end your sessions on all devices": "结束自己在所有设备上的会话",
    "end your sessions on other devices": "结束自己在其他设备上的会话",
    "events of the audit log, the newest first": "审计日志，最新的在前",
    "file with the operator's registration token (default: asks)": "存放运营方注册令牌的文件（默认：询问）",
    "for a lost device and lost recovery codes; ends the user's sessions": (
        "用于设备和恢复码都已丢失的情况；同时结束该用户的会话"
    ),
    "for people": "供人识别的名称",
    "give a user a new password, to be changed at the next login; ends sessions and keys": (
        "为用户设置新密码，下次登录时须修改；同时结束其会话和密钥"
    ),
    "give a user another role, at once": "更改用户的角色，立即生效",
    "ids, as `bossjy sessions list` shows them": "会话 ID，见 `bossjy sessions list`",
    "its id, as `bossjy keys list` shows it": "密钥 ID，见 `bossjy keys list`",
    "let a disabled user log in again": "允许已停用的用户重新登录",
    "log in; the credentials are stored in a file that only you can read": "登录；凭据存放在只有自己可读的文件中",
    "mail address": "邮箱地址",
    "mail address (default: asks)": "邮箱地址（默认：询问）",
    "mail address of its owner (default: asks)": "所有者的邮箱地址（默认：询问）",
    "make a key; its secret is shown once": "创建密钥；密钥内容只显示一次",
    "make a tenant and its owner, and log in as that owner": "创建租户及其所有者，并以该所有者登录",
    "name of the new tenant (default: asks)": "新租户的名称（默认：询问）",
    "name of the owner": "所有者的姓名",
    "name of the user": "用户的姓名",
    "name, default region and limits": "名称、默认地区和限额",
    "name, default region and limits of the tenant": "租户的名称、默认地区和限额",
    "one user": "显示一个用户",
    "one-time codes for your login": "登录用的一次性验证码（两步验证）",
    'over actor, action, resource, outcome, event_time; such as: action = "auth.login" AND outcome != "OK"': (
        '可用字段：actor、action、resource、outcome、event_time；例如：action = "auth.login" AND outcome != "OK"'
    ),
    "people and services of the tenant": "租户的用户和服务账号",
    "read an API key from standard input instead": "改为从标准输入读取 API 密钥",
    "read the current and the new password, one a line, from stdin": "从标准输入读取当前密码和新密码，每行一个",
    "read the first password from standard input": "从标准输入读取初始密码",
    "read the password from standard input": "从标准输入读取密码",
    "read the password from standard input; a second line is the current one-time code or a recovery code": (
        "从标准输入读取密码；第二行为当前验证码或恢复码"
    ),
    "read the password from standard input; more lines, if the service asks: a one-time code, a new password": (
        "从标准输入读取密码；服务要求时，后续行依次为一次性验证码、新密码"
    ),
    "region of imports and calls that give none, such as CN; '' for none": (
        "未指定地区的导入和调用所用的地区，例如 CN；'' 表示不设"
    ),
    "show the caller and its permissions": "显示当前身份及其权限",
    "such as phone.read; may be repeated": "例如 phone.read；可重复",
    'such as: role = "admin" AND state = "active"': '例如：role = "admin" AND state = "active"',
    "tenant id (default: asks)": "租户 ID（默认：询问）",
    "the most to show (default 100)": "最多显示的条数（默认 100）",
    "the most to show (default 100; 0: all)": "最多显示的条数（默认 100；0 为全部）",
    "the most to show (default 50)": "最多显示的条数（默认 50）",
    "the new role": "新角色",
    "the tenant's keys": "列出租户的密钥",
    "the user's API keys stay valid": "保留该用户的 API 密钥",
    "turn the second factor off": "关闭两步验证",
    "turn the second factor on with a code of the new secret, which is asked for, or read from standard input": (
        "用新密钥生成的验证码启用两步验证；验证码由用户输入，或从标准输入读取"
    ),
    "a new secret for an authenticator application, and new recovery codes after its first code": (
        "为验证器应用生成新密钥；输入首个验证码后得到新的恢复码"
    ),
    "user id or mail address": "用户 ID 或邮箱地址",
    "users that pass a filter": "列出符合条件的用户",
    "whether every user needs a second factor": "是否要求所有用户启用两步验证",
    "your logins that have not ended": "自己尚未结束的登录会话",
    "your sessions, the newest first": "列出自己的会话，最新的在前",
}
