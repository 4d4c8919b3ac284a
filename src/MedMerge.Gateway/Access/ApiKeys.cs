using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace MedMerge.Gateway.Access;

/// <summary>The accepted API keys.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    /// <summary>The keys; their owners differ.</summary>
    public IReadOnlyList<ApiKey> Keys { get; set; } = [];

    /// <summary>
    /// The key that was sent, or null. It is compared with every key, each in constant time, so that timing reveals nothing about them.
    /// </summary>
    public ApiKey? Find(string sent)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(sent));
        ApiKey? found = null;
        foreach (var key in Keys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash)) found = key;
        }
        return found;
    }
}

/// <summary>Authenticates clients by the header <c>X-Api-Key</c>.</summary>
internal sealed class ApiKeys(
    IOptionsMonitor<ApiKeyOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder) : AuthenticationHandler<ApiKeyOptions>(options, loggers, encoder)
{
    /// <summary>The authentication scheme's name.</summary>
    public const string SchemeName = "ApiKey";

    /// <summary>The header that carries a key.</summary>
    public const string Header = "X-Api-Key";

    /// <inheritdoc />
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.Headers.TryGetValue(Header, out var sent)) return Task.FromResult(AuthenticateResult.NoResult());
        if (Options.Find(sent.ToString()) is not { } key) return Task.FromResult(AuthenticateResult.Fail("The key is not known."));
        var ticket = new AuthenticationTicket(Users.Create(key.Name, key.Role, SchemeName), SchemeName);
        return Task.FromResult(AuthenticateResult.Success(ticket));
    }
}
