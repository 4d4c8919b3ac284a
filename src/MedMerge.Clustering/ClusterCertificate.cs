using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.Clustering;

/// <summary>
/// This process's certificate and the authority of its cluster, from a folder as a mounted Kubernetes secret of cert-manager has
/// it: <c>tls.crt</c>, <c>tls.key</c>, <c>ca.crt</c>, all PEM. It is read again every minute, so a renewed certificate needs no
/// restart.
/// </summary>
public sealed partial class ClusterCertificate
{
    /// <summary>The variable that names the folder with the certificate.</summary>
    public const string FolderVariable = "Tls__Folder";

    private static readonly TimeSpan ReadPeriod = TimeSpan.FromMinutes(1);
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private long _readAt;
    private X509Certificate2 _own;
    private X509Certificate2Collection _authority;

    /// <summary>Reads the folder.</summary>
    /// <exception cref="InputException">A file is missing or can't be understood.</exception>
    public ClusterCertificate(string folder, TimeProvider time)
    {
        _folder = folder;
        _time = time;
        _readAt = time.GetTimestamp();
        try
        {
            (_own, _authority) = Read(folder);
        }
        catch (Exception error) when (IsUnreadable(error))
        {
            throw new InputException($"{FolderVariable}: the certificate in {folder} can't be read: {error.Message}", error);
        }
    }

    /// <summary>Where a renewal that fails is logged.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>The certificate that this process shows, with its private key.</summary>
    public X509Certificate2 Own
    {
        get
        {
            lock (_gate)
            {
                ReadAgain();
                return _own;
            }
        }
    }

    /// <summary>
    /// Whether a process belongs to the cluster: its certificate is valid now and comes from the cluster's authority. Its name
    /// does not matter, for nodes come and go under addresses that no certificate knows.
    /// </summary>
    public bool Accepts(X509Certificate2 remote, X509Chain? presented)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (presented is not null) chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        lock (_gate)
        {
            ReadAgain();
            chain.ChainPolicy.CustomTrustStore.AddRange(_authority);
        }
        return chain.Build(remote);
    }

    /// <summary>
    /// What can't be read now, in the middle of a renewal say, is read a minute later; until then the old certificate serves.
    /// </summary>
    private void ReadAgain()
    {
        if (_time.GetElapsedTime(_readAt) < ReadPeriod) return;
        _readAt = _time.GetTimestamp();
        try
        {
            (_own, _authority) = Read(_folder);
        }
        catch (Exception error) when (IsUnreadable(error))
        {
            LogNotRenewed(Logger, error, _folder, _own.NotAfter);
        }
    }

    /// <summary>An <see cref="ArgumentException"/> is a key of another certificate.</summary>
    private static bool IsUnreadable(Exception error) =>
        error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    private static (X509Certificate2 Own, X509Certificate2Collection Authority) Read(string folder)
    {
        var own = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
        // Windows' TLS can't use a key that lives in memory only.
        if (OperatingSystem.IsWindows()) own = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
        var authority = new X509Certificate2Collection();
        authority.ImportFromPemFile(Path.Combine(folder, "ca.crt"));
        return (own, authority);
    }

    [LoggerMessage(LogLevel.Warning, "The certificate in {Folder} can't be read again. The one that expires at {Expiry} stays in use.")]
    private static partial void LogNotRenewed(ILogger logger, Exception error, string folder, DateTime expiry);
}
