namespace MedMerge.Statistics;

/// <summary>Student's t distribution for whole degrees of freedom.</summary>
internal static class StudentT
{
    private const double UsualTail = 0.05;

    /// <summary>The value that is exceeded with probability 2.5 %, by bisection on <see cref="Central"/>.</summary>
    public static double Quantile975(int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degrees, 1);
        var (low, high) = (1.9, 13.0); // t is 12.71 for one degree and falls to 1.96
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            if (Central(middle, degrees) < 0.95) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>
    /// The value that |T| exceeds with a probability, by bisection over the angle that <see cref="Central"/> is a sum over.
    /// </summary>
    public static double TwoSidedQuantile(double tail, int degrees)
    {
        if (tail == UsualTail) return Quantile975(degrees); // as other intervals have it, to the last digit
        ArgumentOutOfRangeException.ThrowIfLessThan(degrees, 1);
        var (low, high) = (0.0, Math.PI / 2);
        for (var i = 0; i < 50; i++)
        {
            var middle = (low + high) / 2;
            if (Central(Math.Tan(middle) * Math.Sqrt(degrees), degrees) < 1 - tail) low = middle;
            else high = middle;
        }
        return Math.Tan((low + high) / 2) * Math.Sqrt(degrees);
    }

    /// <summary>P(|T| ≤ t), the finite series of Abramowitz and Stegun 26.7.3 and 26.7.4.</summary>
    public static double Central(double t, int degrees)
    {
        var angle = Math.Atan2(t, Math.Sqrt(degrees));
        var (sine, cosine) = (Math.Sin(angle), Math.Cos(angle));
        var odd = degrees % 2 == 1;
        var (term, sum) = (odd ? cosine : 1.0, 0.0);
        for (var k = odd ? 1 : 0; k < degrees - 1; k += 2)
        {
            sum += term;
            term *= cosine * cosine * (k + 1) / (k + 2);
        }
        return odd ? 2 / Math.PI * (angle + (sine * sum)) : sine * sum;
    }
}
