using System.Security.Cryptography;

namespace MedMerge.Gateway.Access;

/// <summary>An API key, known by its SHA-256 alone, so that reading the configuration reveals no key.</summary>
/// <param name="Name">Its owner's.</param>
/// <param name="Hash">Its SHA-256.</param>
/// <param name="Role">One of <see cref="Roles"/>.</param>
internal sealed record ApiKey(string Name, byte[] Hash, string Role)
{
    private const string Section = "Authentication:ApiKeys";

    /// <summary>
    /// Reads the section <c>Authentication:ApiKeys</c>: for each owner <c>Hash</c> and <c>Role</c>, or a hash alone, which makes the owner
    /// an operator.
    /// </summary>
    /// <exception cref="InputException">A hash is not a SHA-256, or a role is not known.</exception>
    public static IReadOnlyList<ApiKey> ReadAll(IConfiguration configuration) =>
        [.. configuration.GetSection(Section).GetChildren().Select(Read)];

    private static ApiKey Read(IConfigurationSection entry)
    {
        if (entry.Value is not null) return new ApiKey(entry.Key, ReadHash(entry.Path, entry.Value), Roles.Operator);
        var role = entry["Role"];
        if (role is null || !Roles.All.Contains(role))
            throw new InputException($"{entry.Path}:Role is '{role}'; it must be one of {string.Join(", ", Roles.All)}.");
        return new ApiKey(entry.Key, ReadHash($"{entry.Path}:Hash", entry["Hash"]), role);
    }

    private static byte[] ReadHash(string setting, string? text)
    {
        try
        {
            if (Convert.FromHexString(text ?? "") is { Length: SHA256.HashSizeInBytes } hash) return hash;
        }
        catch (FormatException)
        {
            // reported below
        }
        throw new InputException($"{setting} must be the SHA-256 of the key in hexadecimal, 64 digits: `printf %s KEY | sha256sum`.");
    }
}
