"""Chinese remarks, questions and errors."""

from __future__ import annotations

MESSAGES = {
    " (as many with {regions})": "（{regions} 同样多）",
    " (dry run: nothing was kept)": "（试运行：未保留任何数据）",
    " or ": " 或 ",
    ", perhaps {suggestion}": "，可能是 {suggestion}",
    "--cert-file and --key-file go together": "--cert-file 和 --key-file 必须同时给出",
    "--column: there is no column {column!r}: the columns are {names}": (
        "--column：没有列 {column!r}；现有的列：{names}"
    ),
    "--header absent and --header-row exclude each other: give one of them": (
        "--header absent 与 --header-row 不能同时使用：请只给一个"
    ),
    "--json and --csv exclude each other: give one of them": "--json 与 --csv 不能同时使用：请只给一个",
    "--map {text}: write FIELD=COLUMN, where FIELD is one of {names}": (
        "--map {text}：请写成 FIELD=COLUMN，FIELD 可以是 {names}"
    ),
    "--mode interactive needs a terminal: use --mode batch": "--mode interactive 需要终端：请使用 --mode batch",
    "--mode interactive takes one file": "--mode interactive 只接受一个文件",
    "--null and --keep-null-words exclude each other: give one of them": (
        "--null 与 --keep-null-words 不能同时使用：请只给一个"
    ),
    "--quote and --escape take one character each; --quote none says that there are no quotes": (
        "--quote 和 --escape 各只接受一个字符；--quote none 表示没有引号"
    ),
    "--skip-rows {skip_rows} leaves out line {header_row} of the header": (
        "--skip-rows {skip_rows} 会跳过标题所在的第 {header_row} 行"
    ),
    "--token takes the name of a file with the token, so that no list of processes shows the token; this file cannot "
    "be read. Give a file, - for standard input, or set BOSSJY_TOKEN": (
        "--token 接受的是存放令牌的文件名，以免令牌出现在进程列表中；该文件无法读取。请给出文件，用 - 表示标准输入，"
        "或设置 BOSSJY_TOKEN"
    ),
    "--token: the first line of the file is empty": "--token：文件的第一行为空",
    "--where ends where {what} is needed: {example}": "--where 在需要{what}的地方结束：{example}",
    "--where has more than {depth} parentheses in each other": "--where 的括号嵌套超过 {depth} 层",
    "--where has no `)` for a `(`: {example}": "--where 中有 `(` 缺少对应的 `)`：{example}",
    "--where: = or != follows {name}: {example}": "--where：{name} 之后应为 = 或 !=：{example}",
    "--where: AND or OR is missing before {value!r}: {example}": "--where：{value!r} 之前缺少 AND 或 OR：{example}",
    "--where: there is no column {name!r}: the columns are {names}": "--where：没有列 {name!r}；现有的列：{names}",
    "--where: {text!r} is in the place of {what}: {example}": "--where：此处应为{what}，而不是 {text!r}：{example}",
    "--where: {value!r} is not understood: {example}": "--where：无法理解 {value!r}：{example}",
    "a column": "列名",
    "a value": "值",
    """such as --where 'region = "CN" AND type = "MOBILE"'""": """例如 --where 'region = "CN" AND type = "MOBILE"'""",
    ". For this column, {advice}: add --region {region}": "。就该列而言，{advice}：请加 --region {region}",
    "; did you mean {choices}?": "；您是否想输入 {choices}？",
    "Code of the application: ": "验证器应用中的验证码：",
    "Column of the phone number, by name or number": "电话号码所在的列（列名或列号）",
    "Continue, or change something": "继续，或修改某一项",
    "Current one-time code, or a recovery code: ": "当前验证码或恢复码：",
    "Current password": "当前密码",
    "DO NOT ADD UP": "不一致",
    "Delimiter": "分隔符",
    "Encoding, such as gb18030": "编码，例如 gb18030",
    "Escape, one character such as \\, or none": "转义字符，一个字符，例如 \\，或 none",
    "Existing contacts": "已有联系人",
    "FIELD=COLUMN, the column by its name or number": "FIELD=COLUMN，列可用列名或列号",
    "File": "文件",
    "Import now?": "现在导入吗？",
    "Line that names the columns; 0 if none does": "列名所在的行；没有则为 0",
    "Mail address: ": "邮箱地址：",
    "Name of the tenant: ": "租户名称：",
    "New password": "新密码",
    "One-time code: ": "一次性验证码：",
    "Password": "密码",
    "Please enter Y or N": "请输入 Y 或 N",
    "Please select one of the available options": "请选择列出的选项之一",
    "Quote, one character, or none": "引号字符，一个字符，或 none",
    "Region, such as CN": "地区，例如 CN",
    "Registration token": "注册令牌",
    "Sheet": "工作表",
    "Tenant: ": "租户：",
    "Try it first, without keeping anything?": "先试运行一次，不保留任何数据？",
    "Type the id or address of the user again: ": "请再次输入用户的 ID 或邮箱：",
    "a command is missing: {commands}": "缺少命令：{commands}",
    "a number from 1 to {limit}": "应为 1 到 {limit} 之间的整数",
    "a number of rows such as 100, or a share such as 5%": "应为行数（例如 100）或百分比（例如 5%）",
    "a whole number, 0 or more": "应为不小于 0 的整数",
    "add the area code": "补上长途区号",
    "an API key": "API 密钥",
    "bossjy login --target {target} --tenant {tenant_id} --email {email}": (
        "bossjy login --target {target} --tenant {tenant_id} --email {email}"
    ),
    "check the delimiter and the quotes (--delimiter, --quote)": "检查分隔符和引号（--delimiter、--quote）",
    "check the encoding (--encoding)": "检查编码（--encoding）",
    "check the quotes (--quote none, --escape)": "检查引号（--quote none、--escape）",
    "columns": "列",
    "committed rows are kept; to resume: {command}": "已提交的行会保留；要继续导入，请运行：{command}",
    "correct the cells, or check the phone column (--map phone=COLUMN)": (
        "更正单元格，或检查电话列（--map phone=COLUMN）"
    ),
    "correct the cells, or check the region (--region)": "更正单元格，或检查地区（--region）",
    "correct the country, or leave out its column (--map ignore=COLUMN)": (
        "更正国家，或忽略该列（--map ignore=COLUMN）"
    ),
    "correct the rows": "更正这些行",
    "deleted": "已删除",
    "deleted {user_id}; ended sessions: {ended}": "已删除 {user_id}；结束的会话：{ended}",
    "digit {place} ({digit}) of {marked}: no number of the plan continues so": (
        "{marked} 的第 {place} 位（{digit}）：号码方案中没有这样继续的号码"
    ),
    "duplicate rows: bossjy imports duplicates {import_id}": "重复的行：bossjy imports duplicates {import_id}",
    "ended": "已吊销",
    "ended sessions: {ended_count}": "结束的会话：{ended_count}",
    "ended sessions: {ended_count}; the user's API keys have ended as well": (
        "结束的会话：{ended_count}；该用户的 API 密钥也已失效"
    ),
    "ended {session_id}": "已结束 {session_id}",
    "enter the secret in an authenticator application, or show it the URL as a QR code:": (
        "请在验证器应用中输入该密钥，或把 URL 显示为二维码供其扫描："
    ),
    "fields: {names}": "字段：{names}",
    "fill in the number, or check the phone column (--map phone=COLUMN)": (
        "补填号码，或检查电话列（--map phone=COLUMN）"
    ),
    "first lines of the file": "文件的前几行",
    "first lines of the file, {width} columns of more": "文件的前几行（只显示前 {width} 列）",
    "format the column as text in the spreadsheet, and export it again": "在电子表格中把该列设为文本格式后重新导出",
    "give --tenant and --email": "请给出 --tenant 和 --email",
    "give --tenant-name and --email": "请给出 --tenant-name 和 --email",
    "give the password with --password-stdin": "请用 --password-stdin 提供密码",
    "give the region of the numbers (--region)": "给出号码的地区（--region）",
    "interrupted": "已中断",
    "it is not on yet: run `{confirm}` with a code of the application": (
        "尚未启用：请用验证器应用中的验证码运行 `{confirm}`"
    ),
    "leave out columns (--drop-unknown)": "去掉多余的列（--drop-unknown）",
    "line {number} has more than {line_max:,} characters: the file needs one number a line": (
        "第 {number} 行超过 {line_max:,} 个字符：文件应为每行一个号码"
    ),
    "line {number} has {count} cells, and the header has {wanted}: quote cells that contain {delimiter!r}": (
        "第 {number} 行有 {count} 个单元格，而标题行有 {wanted} 个：请给含有 {delimiter!r} 的单元格加引号"
    ),
    "line {number} is no CSV: {error}": "第 {number} 行不是 CSV：{error}",
    "logged in at {target} as {who} of {tenant_id}; kept in {where}": (
        "已以 {who} 登录 {target}（租户 {tenant_id}）；凭据保存在 {where}"
    ),
    "logged in at {target}; later: bossjy login --target {target} --tenant {tenant_id} --email {email}": (
        "已登录 {target}；以后登录：bossjy login --target {target} --tenant {tenant_id} --email {email}"
    ),
    "logged in, but the password must be changed: run `bossjy password`, or give the new password on the next line of "
    "standard input": "已登录，但必须修改密码：请运行 `bossjy password`，或在标准输入的下一行给出新密码",
    "logged out of {target}": "已退出 {target}",
    "no file is named: run `bossjy import FILE…`, or `bossjy import -` to read a pipe": (
        "未指定文件：请运行 `bossjy import FILE…`，或用 `bossjy import -` 读取管道"
    ),
    "no likely correction was found": "没有找到可能的更正",
    "no, but {region} has short numbers of this length": "否，但 {region} 有这个长度的短号码",
    "none: numbers need their calling code": "无：号码必须带国际区号",
    "not logged in": "未登录",
    "not logged in: run `bossjy login{where}`, or set BOSSJY_TOKEN": (
        "未登录：请运行 `bossjy login{where}`，或设置 BOSSJY_TOKEN"
    ),
    "nothing is allowed until you set up a second factor: run `bossjy second-factor enrol`": (
        "启用两步验证之前不能进行任何操作：请运行 `bossjy second-factor enrol`"
    ),
    "nothing to change: give --name, --region or --second-factor": (
        "没有要修改的内容：请给出 --name、--region 或 --second-factor"
    ),
    "nothing until a second factor is set up: `bossjy second-factor enrol`": (
        "无，须先启用两步验证：`bossjy second-factor enrol`"
    ),
    "nothing until the password is changed: `bossjy password`": "无，须先修改密码：`bossjy password`",
    "nothing was imported": "未导入任何数据",
    "nothing was imported; the same without questions: {command}": (
        "未导入任何数据；不询问而直接导入的命令：{command}"
    ),
    "nothing was sent: {advice}; {todo}, or --yes to import anyway": (
        "未发送任何数据：{advice}；{todo}，或用 --yes 照样导入"
    ),
    "--region CC with the right one": "正确的 --region CC",
    "add {option}": "请加上 {option}",
    "give {option}": "请给出 {option}",
    "nothing was typed: {prompt}": "没有输入：{prompt}",
    "of {region}": "属于 {region}",
    "put the other numbers into a column of their own (--map other=COLUMN)": (
        "把其他号码放入单独的列（--map other=COLUMN）"
    ),
    "rejected rows, to correct and import: bossjy imports rejects {import_id} -o rejects.csv": (
        "被拒绝的行（可更正后再导入）：bossjy imports rejects {import_id} -o rejects.csv"
    ),
    "rejected rows: bossjy imports rejects {import_id}": "被拒绝的行：bossjy imports rejects {import_id}",
    "see {command}": "详见 {command}",
    "shorten the value, or leave out the column (--map ignore=COLUMN)": "缩短内容，或忽略该列（--map ignore=COLUMN）",
    "standard input can be imported once": "标准输入只能导入一次",
    "standard input ended before this secret; it has one secret a line: {prompt}": (
        "标准输入在此之前已结束（每行一项）：{prompt}"
    ),
    "standard input is not a terminal: {advice}": "标准输入不是终端：{advice}",
    "the counts of import {import_id} do not add up": "导入 {import_id} 的计数不一致",
    "the import is done": "导入已完成",
    "the next digit is missing after {digits}": "{digits} 之后缺少数字",
    "the password is shown once; it must be changed at the first login:": "密码只显示一次；首次登录时必须修改：",
    "the password is shown once; it must be changed at the next login:": "密码只显示一次；下次登录时必须修改：",
    "the password was changed": "密码已修改",
    "the password was changed; {ended} other sessions ended": "密码已修改；已结束其他 {ended} 个会话",
    "the password was not changed": "密码未修改",
    "the same without questions: {command}": "不询问而直接导入的命令：{command}",
    "the second factor is off": "两步验证已关闭",
    "the second factor is on. These recovery codes are shown once; each works once, for a lost device:": (
        "两步验证已启用。以下恢复码只显示一次；设备丢失时使用，每个只能用一次："
    ),
    "the secret is shown once; give it to the program as BOSSJY_TOKEN:": (
        "密钥只显示一次；请通过 BOSSJY_TOKEN 提供给程序："
    ),
    "the session could not be ended at {target}: {error}": "无法在 {target} 结束会话：{error}",
    "the two passwords differ: nothing was changed": "两次输入的密码不一致：未作修改",
    "the typed text is not the user: nothing was deleted": "输入的内容与该用户不符：未删除任何数据",
    "there is no command {word}": "没有命令 {word}",
    "there is no option {word} here": "此处没有选项 {word}",
    "there is no user with this mail address: `bossjy users list` shows them": (
        "没有使用该邮箱的用户：可用 `bossjy users list` 查看"
    ),
    "these arguments are missing: {names}": "缺少参数：{names}",
    "this deletes the name, address, password and logins of the user, and ends its API keys; nobody can restore them. "
    "Contacts, imports and the audit log stay": (
        "将删除该用户的姓名、邮箱、密码和登录会话，并吊销其 API 密钥，且无法恢复。联系人、导入和审计日志会保留"
    ),
    "this is too much: {words}": "多余的参数：{words}",
    "this password must be changed before anything else is allowed": "必须先修改该密码，才能进行其他操作",
    "to revert it: bossjy imports revert {import_id}": "要撤销导入：bossjy imports revert {import_id}",
    "two columns have the same name: {names}": "有两列同名：{names}",
    "{count:,} numbers, {valid:,} valid": "共 {count:,} 个号码，有效 {valid:,} 个",
    "{count:,} numbers, {valid:,} valid, {written}{rate:,.0f} numbers/s": (
        "共 {count:,} 个号码，有效 {valid:,} 个，{written}每秒 {rate:,.0f} 个"
    ),
    "{count:,} per class of methods": "每类方法 {count:,} 次",
    "{count:,} written, ": "写出 {count:,} 个，",
    "{field}: {value} (contact: {former})": "{field}：{value}（联系人：{former}）",
    "{file}: resuming the interrupted run": "{file}：继续上次中断的导入",
    "{former} to {new}": "{former} 至 {new}",
    "{hint}; suggestions: {count:,}": "{hint}；建议：{count:,} 条",
    "{likely}, {share} with region {region}": "{likely}，按地区 {region} 则为 {share}",
    "{likely}, {share} without a region": "{likely}，不指定地区则为 {share}",
    "{name} needs a value": "{name} 需要一个值",
    "{name} needs at least one value": "{name} 至少需要一个值",
    "{name} takes no value": "{name} 不接受值",
    "{name}: this is not a text file, or its encoding is unknown: save it as UTF-8": (
        "{name}：不是文本文件，或编码未知：请另存为 UTF-8"
    ),
    "{name}: {share}{rows} rows, {rate} rows/s, {rejected} rejected": (
        "{name}：{share}{rows} 行，每秒 {rate} 行，被拒绝 {rejected} 行"
    ),
    "{name}: {text}": "{name}：{text}",
    "{name}: {value} is no whole number": "{name}：{value} 不是整数",
    "{name}: {value} is not one of {choices}": "{name}：{value} 不在 {choices} 之中",
    "{outcome} ({times} calls)": "{outcome}（{times} 次调用）",
    "{prompt}, again: ": "再次输入{prompt}：",
    "{region} ({share:.0%} of the numbers are valid there)": "{region}（{share:.0%} 的号码在该地区有效）",
    "{share} of the numbers are valid with region {region}": "按地区 {region}，{share} 的号码有效",
    "{size:,} bytes in {output}": "{output}：{size:,} 字节",
    "{state}  {rows_in:,} rows, {rejected:,} refused": "{state}  {rows_in:,} 行，被拒绝 {rejected:,} 行",
    "{text}: give the number of a line": "{text}：请给出行号",
    "{versions}: no number changed": "{versions}：号码没有变化",
    "{written:,} contacts, {size:,} bytes in {output}": "{output}：{written:,} 个联系人，{size:,} 字节",
}
