using System.Security.Cryptography;

namespace MedMerge.Data.Catalogue;

/// <summary>The published hash of a file, by which a copy is known to be whole.</summary>
/// <param name="Algorithm">MD5 or SHA-256.</param>
/// <param name="Digits">In lower-case hexadecimal; only the first where no source for the others was found.</param>
internal sealed record FileHash(HashAlgorithmName Algorithm, string Digits)
{
    /// <summary>An MD5, which is what MedMNIST publishes: it tells a damaged file, not one that was forged.</summary>
    public static FileHash Md5(string digits) => new(HashAlgorithmName.MD5, digits);

    /// <summary>A SHA-256, or the first digits of one.</summary>
    public static FileHash Sha256(string digits) => new(HashAlgorithmName.SHA256, digits);

    /// <summary>Whether the hash of a copy, in lower-case hexadecimal, is this one.</summary>
    public bool Matches(string digits) => digits.StartsWith(Digits, StringComparison.Ordinal);

    /// <summary>A hash as messages show it.</summary>
    public string Describe(string digits) => Algorithm == HashAlgorithmName.MD5 ? $"MD5 {digits}" : $"SHA-256 {digits}";

    /// <summary>As messages show it, with an ellipsis for digits that are not known.</summary>
    public override string ToString()
    {
        var isWhole = Digits.Length == (Algorithm == HashAlgorithmName.MD5 ? MD5.HashSizeInBytes : SHA256.HashSizeInBytes) * 2;
        return Describe(isWhole ? Digits : Digits + "…");
    }

    /// <summary>Starts the hash of a copy.</summary>
    public IncrementalHash Start() => IncrementalHash.CreateHash(Algorithm);

    /// <summary>The hash of what is left of a stream, in lower-case hexadecimal.</summary>
    public async Task<string> ComputeAsync(Stream content, CancellationToken cancellation) =>
        Convert.ToHexStringLower(await CryptographicOperations.HashDataAsync(Algorithm, content, cancellation).ConfigureAwait(false));
}
