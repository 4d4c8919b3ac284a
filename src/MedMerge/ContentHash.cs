using System.Security.Cryptography;
using System.Text;

namespace MedMerge;

/// <summary>The hash that names content: artefacts, files of a frozen specification, stage keys.</summary>
internal static class ContentHash
{
    /// <summary>How the address of content begins: <c>sha256:HASH/NAME</c>.</summary>
    public const string Scheme = "sha256:";

    /// <summary>SHA-256 in lower-case hexadecimal, 64 digits.</summary>
    public static string Of(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>The hash of what is left of a stream, which is not held in memory.</summary>
    public static async Task<string> OfAsync(Stream content, CancellationToken cancellation) =>
        Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation).ConfigureAwait(false));

    /// <summary>The hash of a text's UTF-8 bytes.</summary>
    public static string Of(string text) => Of(Encoding.UTF8.GetBytes(text));
}
