"""Chinese errors: a sentence for each reason of the contract, and the causes that the client itself finds."""

from __future__ import annotations

import re

from bossjy_client.errors import BossjyError

# By the value of bossjy.common.v1.ErrorReason without its prefix. The text of the service follows: it has the details.
REASONS = {
    "MALFORMED_REQUEST": "请求格式有误",
    "INVALID_FIELD": "参数不符合要求",
    "UNKNOWN_METHOD": "服务没有该方法，可能版本不一致",
    "METHOD_NOT_AVAILABLE": "服务未开放该方法",
    "INTERNAL": "服务内部错误，请把请求编号告知运营方",
    "SHUTTING_DOWN": "服务正在关闭，请稍后重试",
    "OVERLOADED": "服务繁忙，请稍后重试",
    "RATE_LIMITED": "调用过于频繁，请稍后重试",
    "DATABASE_UNAVAILABLE": "服务暂时无法访问数据库，请稍后重试",
    "CACHE_UNAVAILABLE": "服务暂时无法访问缓存，请稍后重试",
    "DEADLINE_EXCEEDED": "未能在期限内完成，请稍后重试",
    "RESOURCE_NOT_FOUND": "没有这个对象",
    "REQUEST_ID_REUSED": "该请求编号已用于其他请求",
    "PAGE_TOKEN_INVALID": "分页标记无效，请从第一页重新开始",
    "FILTER_INVALID": "过滤条件有误",
    "ORDER_INVALID": "排序字段有误",
    "ETAG_MISMATCH": "对象已被他人修改，请重新读取后再试",
    "CREDENTIALS_MISSING": "没有提供凭据，请先登录",
    "CREDENTIALS_AMBIGUOUS": "提供了多种凭据，请只用一种",
    "TOKEN_INVALID": "令牌无效，请重新登录",
    "TOKEN_EXPIRED": "令牌已过期，请重新登录",
    "SESSION_ENDED": "会话已结束，请重新登录",
    "REFRESH_TOKEN_REUSED": "刷新令牌已被使用过，请重新登录",
    "SCOPE_MISSING": "没有所需的权限",
    "LOGIN_REFUSED": "登录失败，请检查租户、邮箱和密码",
    "LOGIN_THROTTLED": "登录尝试过多，请稍后再试",
    "SECOND_FACTOR_REQUIRED": "需要两步验证的验证码",
    "PASSWORD_REFUSED": "密码不符合要求",
    "REGISTRATION_CLOSED": "未开放注册，需要运营方的注册令牌",
    "USER_EXISTS": "该邮箱的用户已存在",
    "LAST_OWNER": "租户必须至少有一名所有者",
    "QUOTA_EXCEEDED": "超出配额",
    "COLUMNS_UNEQUAL": "各列长度不一致",
    "ARROW_INVALID": "Arrow 数据有误",
    "LANGUAGE_UNKNOWN": "无法识别该语言",
    "PLAN_UNKNOWN": "没有该版本的号码方案",
    "NUMBER_NOT_PARSED": "这不是号码",
    "UPLOAD_OUT_OF_ORDER": "上传的消息顺序有误",
    "UPLOAD_IDLE": "上传空闲过久，已被关闭",
    "OFFSET_COMMITTED": "该位置的数据已提交",
    "OFFSET_GAP": "上传的数据有缺口",
    "CHECKSUM_MISMATCH": "校验和不符，数据在传输中受损",
    "PART_TAKEN": "该分段已有其他上传",
    "PART_UNKNOWN": "没有这个分段",
    "PART_SIZE_MISMATCH": "分段大小不符",
    "IMPORT_NOT_OPEN": "导入已结束",
    "IMPORT_NOT_REVERTIBLE": "该导入无法撤销",
    "FILE_TOO_LARGE": "文件过大",
    "ROW_TOO_WIDE": "有一行过长，请检查引号",
    "TOO_MANY_COLUMNS": "列数过多",
    "PHONE_COLUMN_MISSING": "找不到电话列，请用 --map phone=COLUMN 指定",
    "MAPPING_INVALID": "列的对应关系有误",
    "FORMAT_UNSUPPORTED": "不支持该文件格式",
    "ENCODING_UNSUPPORTED": "无法确定编码，请用 --encoding 指定",
    "LOOKUP_NOT_CONFIGURED": "运营方没有配置号码查询",
    "LOOKUP_UNAVAILABLE": "号码查询暂时不可用",
    "LOOKUP_BUDGET_SPENT": "号码查询的额度已用完",
    "SECOND_FACTOR_LOCKED": "验证码错误次数过多，请稍后再试",
    "SECOND_FACTOR_NEEDED": "必须先启用两步验证：bossjy second-factor enrol",
    "STREAM_IDLE": "流空闲过久，已被关闭",
    "STREAM_UNREAD": "客户端没有及时读取结果，流已被关闭",
    "WORK_LIMIT": "请求的工作量超过上限",
    "MESSAGE_TOO_LARGE": "消息过大",
    "REJECT_LIMIT_EXCEEDED": "被拒绝的行超过上限",
    "HEADER_ROW_INVALID": "标题行有误，请用 --header-row 指定",
}
# Fragments of the client's own errors. The address or the file is before them.
FRAGMENTS = {
    "no connection to ": "无法连接 ",
    "the connection is refused: check the address, and that the server runs": (
        "连接被拒绝：请检查地址以及服务是否在运行"
    ),
    "the name of the host is not known: check the address": "找不到该主机名：请检查地址",
    "the server's certificate is not trusted, or is for another name: check root_certificates (--ca-file)": (
        "服务器证书不受信任或属于其他名称：请检查 --ca-file"
    ),
    "the server does not speak TLS: connect with plaintext=True (--no-tls)": "服务器不使用 TLS：请加 --no-tls",
    "the network of the host cannot be reached": "无法到达该主机所在的网络",
    "the server closes the connection: it may require TLS: plaintext=False (--tls)": (
        "服务器关闭了连接：它可能要求 TLS（--tls）"
    ),
    "the proxy refuses the connection: set no_proxy for this host": "代理拒绝了连接：请为该主机设置 no_proxy",
    "the proxy cannot be reached: set no_proxy for this host": "无法连接代理：请为该主机设置 no_proxy",
    "the TLS handshake failed: the server may not speak TLS, or require a certificate": (
        "TLS 握手失败：服务器可能不使用 TLS，或要求证书"
    ),
    "the server's certificate is for another name: check the address": "服务器证书属于其他名称：请检查地址",
    "No such file or directory": "文件或目录不存在",
    "Permission denied": "没有权限",
    "Is a directory": "这是一个目录",
}


def chinese_error(error: BossjyError) -> str:
    """An error for people: the sentence of its reason with the text of the service, or a cause of the client."""
    text = str(error)
    if error.reason in REASONS:
        return f"{REASONS[error.reason]}（{text}）"
    for english, chinese in FRAGMENTS.items():
        text = text.replace(english, chinese)
    return re.sub(r"(?<=[\w）]): (?=[\u4e00-\u9fff])", "：", text)
