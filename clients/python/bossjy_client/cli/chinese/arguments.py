"""Chinese help of the commands for numbers, imports and contacts, and the end of the tool's help."""

from __future__ import annotations

ARGUMENTS = {
    """exit codes:
  0  all was done
  1  a fault of the service or of the tool
  2  the command line is wrong
  3  not logged in, rejected, or not allowed
  4  the service rejected the request, or an import failed
  5  the service was not reached; the same command can succeed later
  6  all was done, and the data has findings: numbers not valid, rows rejected
  7  a file cannot be read or written
  8  nothing was sent: the region of the numbers is missing or wrong; add --region, or --yes
  130  interrupted; the same command continues an import

environment:
  BOSSJY_TARGET      address of the service: HOST:PORT, or consul://AGENT:PORT/SERVICE
  BOSSJY_TOKEN       API key or access token, in place of `bossjy login`
  CONSUL_HTTP_TOKEN  token for the agent of a target consul://
""": """退出码：
  0  全部完成
  1  服务或本工具出现故障
  2  命令行有误
  3  未登录、登录被拒绝或没有权限
  4  服务拒绝了请求，或导入失败
  5  无法连接服务；稍后重试同一命令可能成功
  6  全部完成，但数据有问题：有无效号码或被拒绝的行
  7  文件无法读取或写入
  8  未发送任何数据：号码的地区缺失或有误；请加 --region 或 --yes
  130  已中断；再次运行同一命令可继续导入

环境变量：
  BOSSJY_TARGET      服务地址：HOST:PORT，或 consul://AGENT:PORT/SERVICE
  BOSSJY_TOKEN       API 密钥或访问令牌，代替 `bossjy login`
  CONSUL_HTTP_TOKEN  consul:// 目标所用代理的令牌
""",
    "questions about phone numbers": "查询电话号码",
    "- is standard input": "- 表示标准输入",
    "- is standard output": "- 表示标准输出",
    "- reads standard input": "- 表示读取标准输入",
    "a number": "一个号码",
    "a number, such as +8613800000000": "一个号码，例如 +8613800000000",
    "a number; - reads one a line from standard input": "一个号码；- 表示从标准输入逐行读取",
    "a short number, such as 110": "短号码，例如 110",
    "a text that may be a number": "可能是号码的文字",
    "a number in its formats": "号码的各种格式",
    "as dialled from this region": "从该地区拨打时的写法",
    "carrier and line of a number now, by the operator's provider (exit code 6: not valid, or not known)": (
        "通过运营方的数据提供商查询号码当前的运营商和线路（退出码 6：无效或未知）"
    ),
    "check for a short or emergency number of --region, and its cost (exit code 6: it is none)": (
        "检查是否为 --region 的短号码或紧急号码及其资费（退出码 6：不是）"
    ),
    "code of the region, such as CN": "地区代码，例如 CN",
    "compare two texts as numbers": "按号码比较两段文字",
    "default: standard output": "默认：标准输出",
    "format the text typed so far": "格式化正在输入的号码",
    "formats, carrier, place and time zones as well": "同时显示格式、运营商、归属地和时区",
    "formats, carrier, place and time zones as well; with --json": "同时输出格式、运营商、归属地和时区；需配合 --json",
    "one region, with example numbers": "一个地区及其示例号码",
    "only those of this calling code": "只列出该国际区号的地区",
    "position of the cursor in the text (default: its end)": "光标在文字中的位置（默认：末尾）",
    "region assumed if there is no calling code, such as CN": "号码没有国际区号时假定的地区，例如 CN",
    "region of the second text (default: the one of --region)": "第二段文字的地区（默认与 --region 相同）",
    "texts of a file, one a line or in a CSV column; writes CSV (exit code 6: not all are valid)": (
        "校验文件中的号码，每行一个或取自 CSV 的一列；输出 CSV（退出码 6：有无效号码）"
    ),
    "the digits so far": "目前输入的数字",
    "the file is CSV with a header; its other columns are kept": "文件为带标题行的 CSV；其他列原样保留",
    "the number to compare with it": "用来比较的号码",
    "the numbers in a text": "找出文字中的号码",
    "the problem, and likely fixes": "说明号码的问题和可能的更正",
    "the regions of the plan": "列出号码方案中的地区",
    "those in which this text is a valid number (6: none)": "只列出该文字为有效号码的地区（退出码 6：没有）",
    "validate texts as numbers (exit code 6: not all are valid)": "校验号码（退出码 6：有无效号码）",
    'write only these rows, such as \'region = "CN" AND type = "MOBILE"\'': (
        '只输出这些行，例如 \'region = "CN" AND type = "MOBILE"\''
    ),
    "the current numbering plan": "当前的号码方案",
    "version and size of the plan": "方案的版本和规模",
    "exact differences of two versions": "两个版本的确切差异",
    "version of the older plan": "旧方案的版本",
    "default: the current version": "默认：当前版本",
    "only this region": "只看该地区",
    "files become contacts": "把文件导入为联系人",
    "Import files. Each row counts once: the same command resumes an interrupted import. Without a file it asks for "
    "everything, shows the result, and imports then.": (
        "导入文件。每一行只计一次：中断后再次运行同一命令即可继续。不指定文件时会逐项询问，先显示结果再导入。"
    ),
    "CSV, JSON, XLSX, vCard, Parquet and others; - is standard input": (
        "CSV、JSON、XLSX、vCard、Parquet 等；- 表示标准输入"
    ),
    "the same": "同上",
    "interactive: asks on the terminal (default if no file is named)": (
        "interactive：在终端逐项询问（未指定文件时的默认方式）"
    ),
    "region assumed if there is no calling code: CN, CHN, 86 or China (default: the tenant's)": (
        "号码没有国际区号时假定的地区：CN、CHN、86 或 China（默认为租户的地区）"
    ),
    "existing contacts (default: overwrite)": "如何处理已有联系人（默认：overwrite）",
    "which of several rows counts (default: first)": "号码重复的多行中以哪一行为准（默认：first）",
    "numbers that letters or an exponent may have changed; keep: in the attribute number_warning (default: reject)": (
        "可能因字母或科学记数法而改变的号码；keep：保留，并记入属性 number_warning（默认：reject）"
    ),
    "meaning of a column, such as phone=手机号; fields: phone, other, extension, name, given, family, email, country, "
    "attribute, attributes, ignore; may be repeated": (
        "列的含义，例如 phone=手机号；字段：phone、other、extension、name、given、family、email、country、"
        "attribute、attributes、ignore；可重复"
    ),
    "drop columns of unknown meaning": "丢弃含义不明的列",
    "a cell that counts as empty, in place of NULL, N/A, - and the like; may be repeated": (
        "视为空的单元格内容，代替 NULL、N/A、- 等；可重复"
    ),
    "NULL, N/A, - and the like are kept as values": "把 NULL、N/A、- 等保留为值",
    "look up carrier and place, and store them": "查询运营商和归属地并保存",
    "form of the file (default: detected)": "文件格式（默认：自动识别）",
    "form of the file (default: csv)": "文件格式（默认：csv）",
    "such as gb18030 (default: detected)": "例如 gb18030（默认：自动识别）",
    "one character, or `tab` (default: detected)": "一个字符，或 `tab`（默认：自动识别）",
    "the first row has the column names, or not": "首行是否为列名",
    "line of the header (default: detected)": "标题行的行号（默认：自动识别）",
    "lines to leave out at the start of the file": "跳过文件开头的行数",
    "character around cells, or `none` (default: detected)": "单元格两侧的引号字符，或 `none`（默认：自动识别）",
    "character before quotes in cells, \\ for MySQL's": "单元格内引号前的转义字符，MySQL 导出的文件为 \\",
    "stop and fail when more rows, or more than P percent of the rows, are rejected": (
        "被拒绝的行数或所占百分比超过该值时，停止导入并视为失败"
    ),
    "import without the check of the first numbers' region": "不检查前几行号码的地区，直接导入",
    "sheet of a workbook (default: the first with a phone column)": "工作簿中的工作表（默认：第一个含电话列的工作表）",
    "array of records in a JSON document, such as data.people": "JSON 文档中的记录数组，例如 data.people",
    "rows hidden in a workbook are not imported": "不导入工作簿中隐藏的行",
    "name of the import, for people": "导入的名称，供人识别",
    "the import whose corrected rows these are": "这些更正后的行所属的原导入",
    "parallel streams for one file, at most 64 (default 1)": "一个文件的并行流数，最多 64（默认 1）",
    "merge, then roll back: only count": "合并后回滚：只统计数量",
    "exit with 0 although rows were rejected": "即使有行被拒绝也以 0 退出",
    "imports made before": "查看和管理以前的导入",
    "imports, the newest first": "列出导入，最新的在前",
    'such as: state = "OPEN"': '例如：state = "OPEN"',
    "one import with its counts": "显示一次导入及其计数",
    "an import each time that it changes, until it ends": "持续显示导入的变化，直到结束",
    "end an open import; committed rows are kept": "取消进行中的导入；已提交的行保留",
    "revert an import": "撤销导入",
    "the rejected rows": "列出被拒绝的行",
    "the duplicate rows: another row with the same number was used": "列出重复的行：已采用号码相同的另一行",
    "the contacts that it changed, with former and new values": "列出被更改的联系人及其原值和新值",
    "its id, as `bossjy imports list` shows it": "导入 ID，见 `bossjy imports list`",
    "only count the changes": "只统计更改的数量",
    "a CSV file to correct and import": "写入 CSV 文件，可更正后再导入",
    "list, count, export, delete, erase": "列出、统计、导出、删除、彻底清除联系人",
    "contacts that pass a filter": "列出符合条件的联系人",
    'such as: region = "CN" AND name : "wang"': '例如：region = "CN" AND name : "wang"',
    "phone_number, create_time, update_time": "phone_number、create_time、update_time",
    "one contact": "显示一个联系人",
    "such as +8613800000000": "例如 +8613800000000",
    "counts by region, type …": "按地区、类型等统计",
    "may be repeated": "可重复",
    "a file of contacts": "把联系人导出为文件",
    "excel: an apostrophe guards cells that a spreadsheet would run as formulas; data: unchanged cells": (
        "excel：在会被电子表格当作公式执行的单元格前加撇号；data：单元格保持原样"
    ),
    "delete one contact; an import may create it again": "删除一个联系人；之后的导入可能再次创建",
    "number of the contact, such as +8613800000000": "联系人的号码，例如 +8613800000000",
    "erase numbers permanently, with all stored data about them": "永久清除号码及其全部数据",
    "why, without personal data": "清除的原因，不得包含个人信息",
}
