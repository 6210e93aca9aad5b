"""The otpauth URI as a picture."""

import base64
import io

import zxingcpp
from PIL import Image

_PIXELS_A_MODULE = 6


def qr_data_uri(text: str) -> str:
    """A PNG of the QR code as a data URI, which a page shows as it is."""
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = Image.fromarray(symbol.to_image(scale=_PIXELS_A_MODULE, add_quiet_zones=True))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
